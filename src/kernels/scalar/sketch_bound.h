// The end of every bound of a sketch.
#ifndef LITERTLM_KERNELS_SCALAR_SKETCH_BOUND_H_
#define LITERTLM_KERNELS_SCALAR_SKETCH_BOUND_H_

#include "kernels/sketch_view.h"

namespace litertlm {

/// What a product with the weights of a band's `row` is not above if it is `sum` with their levels.
/// Its margin covers the rounding here and in the product itself: some 2^-22 of each. Internal to
/// the file of one instruction set.
static inline float BoundOf(const SketchInput& x, const SketchFacts& facts, size_t row,
                            int32_t sum) {
  constexpr float kMargin = 1e-5f;
  sum -= x.coding.zero_point * facts.level_sum[row];
  const float product = static_cast<float>(sum) * x.coding.scale * facts.scale[row];
  const float error =
      x.coding.scale * (facts.error[row] * x.rest + facts.largest_error[row] * x.outliers);
  return product + error + kMargin * (__builtin_fabsf(product) + error);
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SCALAR_SKETCH_BOUND_H_
