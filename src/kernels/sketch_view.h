// A sketch (kernels/sketch.h) and a row of activations as kernels see them.
#ifndef LITERTLM_KERNELS_SKETCH_VIEW_H_
#define LITERTLM_KERNELS_SKETCH_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "kernels/matmul.h"

namespace litertlm {

/// Columns of a sketch whose codes lie together in half as many bytes: in the low nibbles the
/// first half of them, in the high ones the second. The last such part of a row is filled up with
/// zeros.
inline constexpr size_t kSketchColumns = 128;

inline constexpr int kLeastSketchCode = -8;
inline constexpr int kMostSketchCode = 7;

/// Whether products of two such scales neither overflow nor lose digits. Models have no others.
inline bool IsUsualScale(float scale) { return scale >= 1e-12f && scale <= 1e12f; }

/// What a sketch knows of a row besides its codes, the scale of the weights included.
struct SketchRow {
  float scale;          ///< Of the codes.
  float error;          ///< ‖r‖; infinite where nothing is known.
  float largest_error;  ///< max|r|
  int32_t code_sum;
};

struct SketchView {
  const uint8_t* codes;
  size_t row_bytes;
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
