#include "kernels/scalar/rows.h"

#include <algorithm>
#include <cmath>

namespace litertlm::scalar {
namespace {

template <typename F>
float SumOf(size_t count, F&& element) {
  constexpr size_t kParts = 8;
  float parts[kParts] = {};
  size_t i = 0;
  for (; i + kParts <= count; i += kParts) {
    for (size_t j = 0; j < kParts; ++j) parts[j] += element(i + j);
  }
  for (size_t j = 0; i < count; ++i, ++j) parts[j] += element(i);
  return ((parts[0] + parts[1]) + (parts[2] + parts[3])) +
         ((parts[4] + parts[5]) + (parts[6] + parts[7]));
}

}  // namespace

float Sum(const float* x, size_t count) {
  return SumOf(count, [x](size_t i) { return x[i]; });
}

void Softmax(const float* x, float* y, size_t count, float beta) {
  if (count == 0) return;
  const float highest = *std::max_element(x, x + count);
  for (size_t i = 0; i < count; ++i) y[i] = std::exp(beta * (x[i] - highest));
  const float factor = 1.0f / Sum(y, count);
  for (size_t i = 0; i < count; ++i) y[i] *= factor;
}

void RmsNorm(const float* x, const float* gains, float* y, size_t count, float epsilon) {
  const float squares = SumOf(count, [x](size_t i) { return x[i] * x[i]; });
  const float factor = 1.0f / std::sqrt(squares / static_cast<float>(count) + epsilon);
  for (size_t i = 0; i < count; ++i) y[i] = x[i] * factor * gains[i];
}

void AddScaled(float a, const float* x, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] += a * x[i];
}

}  // namespace litertlm::scalar
