// A sketch (kernels/sketch.h) and a row of activations as kernels see them.
#ifndef LITERTLM_KERNELS_SKETCH_VIEW_H_
#define LITERTLM_KERNELS_SKETCH_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "kernels/matmul.h"

namespace litertlm {

/// A sketch holds four rows together in a band of whole lines: rows by themselves would begin
/// within lines, and be read a tenth more slowly. kSketchColumns columns are a part. A band has
///   - the numbers of levels: of the first row a line for each part, those of its first half in the
///     low nibbles and those of its second in the high ones; then of the other rows;
///   - the signs: a line for each part. Bit 2 r + h of byte n is set where column n of half h of
///     row r is negative;
///   - what else is known of the rows, SketchFacts.
/// Columns behind the end are +1 and -1 in turn, and cancel; rows behind it are zeros.
inline constexpr size_t kSketchRows = 4;
inline constexpr size_t kSketchColumns = 128;
inline constexpr size_t kSketchLine = 64;
static_assert(kSketchLine == kSketchColumns / 2);

/// Parts of a row. This and what follows are internal to the file of one instruction set.
static constexpr size_t SketchParts(size_t columns) {
  return (columns + kSketchColumns - 1) / kSketchColumns;
}
/// Lines of a band besides those of numbers.
static constexpr size_t SketchOtherLines(size_t parts) { return parts + 1; }
static constexpr size_t SketchBandBytes(size_t parts) {
  return (kSketchRows * parts + SketchOtherLines(parts)) * kSketchLine;
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

/// What a sketch knows of the rows of a band besides their codes.
struct SketchFacts {
  float scale[kSketchRows];          ///< Of the levels, that of the weights included.
  float error[kSketchRows];          ///< ‖r‖; infinite where nothing is known.
  float largest_error[kSketchRows];  ///< max|r|
  int32_t level_sum[kSketchRows];
};
static_assert(sizeof(SketchFacts) == kSketchLine);

template <typename Byte>
static Byte* SketchSigns(Byte* band, size_t parts) {
  return band + kSketchRows * parts * kSketchLine;
}
static inline SketchFacts* SketchFactsOf(uint8_t* band, size_t parts) {
  return reinterpret_cast<SketchFacts*>(SketchSigns(band, parts) + parts * kSketchLine);
}
static inline const SketchFacts* SketchFactsOf(const uint8_t* band, size_t parts) {
  return reinterpret_cast<const SketchFacts*>(SketchSigns(band, parts) + parts * kSketchLine);
}

struct SketchView {
  const uint8_t* bands;
  size_t parts;  ///< Of a row.
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
