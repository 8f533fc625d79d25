// A sketch (kernels/sketch.h) and a row of activations as kernels see them.
#ifndef LITERTLM_KERNELS_SKETCH_VIEW_H_
#define LITERTLM_KERNELS_SKETCH_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "kernels/matmul.h"

namespace litertlm {

/// A row of a sketch has 5 bits for each column, kSketchColumns of which are a part: at first the
/// numbers of their levels, 64 bytes for each part, those of its first half in the low nibbles and
/// those of its second in the high ones; then their signs, 16 bytes for each part, column 16 k + n
/// in bit k of byte n. Columns behind the end are +1 and -1 in turn, and cancel.
inline constexpr size_t kSketchColumns = 128;
inline constexpr size_t kSketchNumberBytes = kSketchColumns / 2;
inline constexpr size_t kSketchSignBytes = kSketchColumns / 8;
inline constexpr size_t kSketchPartBytes = kSketchNumberBytes + kSketchSignBytes;

/// Parts of a row. Internal to the file of one instruction set.
static constexpr size_t SketchParts(size_t columns) {
  return (columns + kSketchColumns - 1) / kSketchColumns;
}

/// Of normally distributed weights these levels have the least error, 0.051 deviations (J. Max,
/// "Quantizing for minimum distortion", 1960; S. Lloyd, "Least squares quantization in PCM", 1982),
/// rounded to integers, kSketchUnits of which are a deviation: two products with codes of
/// activations fit in 16 bits. Four times, for long vectors.
inline constexpr size_t kSketchLevels = 16;
alignas(64) inline constexpr int8_t kSketchLevel[4 * kSketchLevels] = {
    1, 3, 5, 7, 9, 11, 13, 15, 18, 21, 24, 27, 31, 35, 41, 50,  //
    1, 3, 5, 7, 9, 11, 13, 15, 18, 21, 24, 27, 31, 35, 41, 50,  //
    1, 3, 5, 7, 9, 11, 13, 15, 18, 21, 24, 27, 31, 35, 41, 50,  //
    1, 3, 5, 7, 9, 11, 13, 15, 18, 21, 24, 27, 31, 35, 41, 50};
inline constexpr float kSketchUnits = 15.23f;

/// The number of the level that is nearest to a weight of x deviations, at most kSketchReach:
/// x (a + b x² + c x⁴) - 1/2, rounded. Fitted to the middles between levels, which it misses by
/// less than a fifth of the way to the next one: errors become 0.053 deviations.
struct SketchCurve {
  static constexpr float a = 7.8071f;
  static constexpr float b = -0.47339f;
  static constexpr float c = 0.018219f;
};
inline constexpr float kSketchReach = 3.1f;

/// Whether products of two such scales neither overflow nor lose digits. Models have no others.
static inline bool IsUsualScale(float scale) { return scale >= 1e-12f && scale <= 1e12f; }

/// What a sketch knows of a row besides its codes, the scale of the weights included.
struct SketchRow {
  float scale;          ///< Of the levels.
  float error;          ///< ‖r‖; infinite where nothing is known.
  float largest_error;  ///< max|r|
  int32_t level_sum;
};

struct SketchView {
  const uint8_t* codes;
  size_t parts;  ///< Of a row.
  const SketchRow* rows;
};

/// One row of coded activations, followed by zeros to a multiple of kSketchColumns.
struct SketchInput {
  const uint8_t* codes;
  RowCoding coding;
  float outliers;  ///< Σ|outliers|
  float rest;      ///< ‖rest‖
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SKETCH_VIEW_H_
