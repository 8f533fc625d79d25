// Operators on one row of numbers.
#ifndef LITERTLM_KERNELS_SCALAR_ROWS_H_
#define LITERTLM_KERNELS_SCALAR_ROWS_H_

#include <cstddef>

namespace litertlm::scalar {

/// y = exp(beta (x - max x)), divided by its sum. `x` and `y` may be the same row.
void Softmax(const float* x, float* y, size_t count, float beta);

/// y = x * (1 / sqrt(mean(x^2) + epsilon)) * gains. `x` and `y` may be the same row.
void RmsNorm(const float* x, const float* gains, float* y, size_t count, float epsilon);

/// The sum of a row, added up in XNNPACK's order: sixteen interleaved parts, which bounds the
/// rounding error and lets the compiler use vectors.
float Sum(const float* x, size_t count);

/// y += a * x.
void AddScaled(float a, const float* x, float* y, size_t count);

}  // namespace litertlm::scalar

#endif  // LITERTLM_KERNELS_SCALAR_ROWS_H_
