// The end of every bound of a sketch.
#ifndef LITERTLM_KERNELS_SCALAR_SKETCH_BOUND_H_
#define LITERTLM_KERNELS_SCALAR_SKETCH_BOUND_H_

#include "kernels/sketch_view.h"

namespace litertlm {

/// What a product with the weights is not above if it is `sum` with the levels of the row. Its
/// margin covers the rounding here and in the product itself: some 2^-22 of each. Internal to the
/// file of one instruction set.
static inline float BoundOf(const SketchInput& x, const SketchRow& row, int32_t sum) {
  constexpr float kMargin = 1e-5f;
  const float product = static_cast<float>(sum) * x.coding.scale * row.scale;
  const float error = x.coding.scale * (row.error * x.rest + row.largest_error * x.outliers);
  return product + error + kMargin * (__builtin_fabsf(product) + error);
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SCALAR_SKETCH_BOUND_H_
