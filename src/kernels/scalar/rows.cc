#include "kernels/scalar/rows.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/scalar/approximations.h"

namespace litertlm::scalar {
namespace {

// Four lanes: XNNPACK's vectors where it runs as WebAssembly. They are added up in its order, so
// that our sums have the same bits.
constexpr size_t kLanes = 4;
using Lanes = std::array<float, kLanes>;

Lanes operator+(const Lanes& a, const Lanes& b) {
  return {a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]};
}

/// The sum of `element(i)`, taken four vectors at a time; what is left at the end and fills no
/// vector is added to the lanes while they are brought together.
template <typename F>
float SumOf(size_t count, const F& element) {
  constexpr size_t kVectors = 4;
  std::array<Lanes, kVectors> sums{};
  const size_t whole = count / kLanes;
  for (size_t vector = 0; vector < whole; ++vector) {
    const size_t i = vector * kLanes;
    Lanes& sum = sums[vector % kVectors];
    sum = sum + Lanes{element(i), element(i + 1), element(i + 2), element(i + 3)};
  }
  const Lanes lanes = (sums[0] + sums[2]) + (sums[1] + sums[3]);
  float even = lanes[0] + lanes[2];
  float odd = lanes[1] + lanes[3];
  size_t i = whole * kLanes;
  if (count % 4 >= 2) {
    even += element(i++);
    odd += element(i++);
  }
  const float sum = even + odd;
  return i < count ? sum + element(i) : sum;
}

/// The same for exponentials, which are taken one vector at a time.
float SumOfExponentials(const float* x, size_t count) {
  Lanes sums{};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) sums = sums + Lanes{x[i], x[i + 1], x[i + 2], x[i + 3]};
  float sum = (sums[0] + sums[2]) + (sums[1] + sums[3]);
  if (count % 4 >= 2) {
    sum += x[i] + x[i + 1];
    i += 2;
  }
  return i < count ? sum + x[i] : sum;
}

}  // namespace

float Sum(const float* x, size_t count) {
  return SumOf(count, [x](size_t i) { return x[i]; });
}

void Softmax(const float* x, float* y, size_t count, float beta) {
  if (count == 0) return;
  const float highest = *std::max_element(x, x + count);
  for (size_t i = 0; i < count; ++i) y[i] = ExpOfNegative(beta * (x[i] - highest));
  const float factor = 1.0f / SumOfExponentials(y, count);
  for (size_t i = 0; i < count; ++i) y[i] *= factor;
}

void RmsNorm(const float* x, const float* gains, float* y, size_t count, float epsilon) {
  const float squares = SumOf(count, [x](size_t i) { return x[i] * x[i]; });
  const float mean = squares * (1.0f / static_cast<float>(count));
  const float factor = 1.0f / std::sqrt(mean + epsilon);
  for (size_t i = 0; i < count; ++i) y[i] = x[i] * factor * gains[i];
}

void AddScaled(float a, const float* x, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] += a * x[i];
}

}  // namespace litertlm::scalar
