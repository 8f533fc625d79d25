// Operators on one row of numbers; scalar/row_kernels.cc has the definitions.
#ifndef LITERTLM_KERNELS_SIMD_ROWS_H_
#define LITERTLM_KERNELS_SIMD_ROWS_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/math.h"

namespace litertlm {

/// y[i] = f(x…[i]) for vectors of each of the rows; the last vector may be part of one.
template <typename V, typename F, typename... Rows>
void MapRow(F f, float* y, size_t count, Rows... rows) {
  size_t i = 0;
  for (; i + V::kLanes <= count; i += V::kLanes) V::StoreF(y + i, f(V::LoadF(rows + i)...));
  if (i < count) V::StorePartF(y + i, f(V::LoadPartF(rows + i, count - i)...), count - i);
}

template <typename V>
struct RowKernels {
  using F = typename V::F;

  static void Add(const float* a, const float* b, float* y, size_t count) {
    MapRow<V>([](F p, F q) { return V::Add(p, q); }, y, count, a, b);
  }

  static void SiluMul(const float* gate, const float* up, float* y, size_t count) {
    MapRow<V>([](F g, F u) { return V::Mul(V::Mul(g, Logistic<V>(g)), u); }, y, count, gate, up);
  }

  static void GeluTanhMul(const float* gate, const float* up, float* y, size_t count) {
    MapRow<V>([](F g, F u) { return V::Mul(GeluTanh<V>(g), u); }, y, count, gate, up);
  }

  static void RmsNorm(const float* x, const float* gains, float* y, size_t count, float epsilon) {
    F first = V::ZeroF();
    F second = V::ZeroF();
    size_t i = 0;
    for (; i + 2 * V::kLanes <= count; i += 2 * V::kLanes) {
      const F a = V::LoadF(x + i);
      const F b = V::LoadF(x + i + V::kLanes);
      first = V::MulAdd(a, a, first);
      second = V::MulAdd(b, b, second);
    }
    for (; i < count; i += V::kLanes) {
      const F a = V::LoadPartF(x + i, count - i < V::kLanes ? count - i : V::kLanes);
      first = V::MulAdd(a, a, first);
    }
    const float mean = V::ReduceAdd(V::Add(first, second)) / static_cast<float>(count);
    const F factor = V::SetF(1.0f / __builtin_sqrtf(mean + epsilon));
    MapRow<V>([factor](F a, F gain) { return V::Mul(V::Mul(a, factor), gain); }, y, count, x,
              gains);
  }

  static float Max(const float* x, size_t count) {
    F highest = V::SetF(x[0]);
    size_t i = 0;
    for (; i + V::kLanes <= count; i += V::kLanes) highest = V::Max(highest, V::LoadF(x + i));
    float result = V::ReduceMax(highest);
    for (; i < count; ++i) result = x[i] > result ? x[i] : result;
    return result;
  }

  /// y = exp(beta (x - highest)); returns the sum.
  static float ExpRow(const float* x, float* y, size_t count, float beta, float highest) {
    const F factor = V::SetF(beta);
    const F top = V::SetF(highest);
    F sum = V::ZeroF();
    size_t i = 0;
    for (; i + V::kLanes <= count; i += V::kLanes) {
      const F e = Exp<V>(V::Mul(factor, V::Sub(V::LoadF(x + i), top)));
      V::StoreF(y + i, e);
      sum = V::Add(sum, e);
    }
    if (i < count) {
      const F e = Exp<V>(V::Mul(factor, V::Sub(V::LoadPartF(x + i, count - i), top)));
      V::StorePartF(y + i, e, count - i);
      sum = V::Add(sum, V::LoadPartF(y + i, count - i));
    }
    return V::ReduceAdd(sum);
  }

  static void ScaleRow(float factor, float* y, size_t count) {
    const F f = V::SetF(factor);
    MapRow<V>([f](F a) { return V::Mul(a, f); }, y, count, static_cast<const float*>(y));
  }

  static void Softmax(const float* x, float* y, size_t count, float beta) {
    if (count == 0) return;
    const float sum = ExpRow(x, y, count, beta, Max(x, count));
    ScaleRow(1.0f / sum, y, count);
  }

  static void ToF16(const float* x, uint16_t* y, size_t count) {
    size_t i = 0;
    for (; i + V::kLanes <= count; i += V::kLanes) V::StoreF16(y + i, V::LoadF(x + i));
    if (i == count) return;
    uint16_t last[V::kLanes];
    V::StoreF16(last, V::LoadPartF(x + i, count - i));
    __builtin_memcpy(y + i, last, (count - i) * sizeof(uint16_t));
  }

  static void Rope(const float* x, const float* cos, const float* sin, float* y, size_t half) {
    size_t i = 0;
    for (; i < half; i += V::kLanes) {
      const size_t count = half - i < V::kLanes ? half - i : V::kLanes;
      const F a = V::LoadPartF(x + i, count);
      const F b = V::LoadPartF(x + half + i, count);
      const F c = V::LoadPartF(cos + i, count);
      const F s = V::LoadPartF(sin + i, count);
      V::StorePartF(y + i, V::Sub(V::Mul(a, c), V::Mul(b, s)), count);
      V::StorePartF(y + half + i, V::Add(V::Mul(b, c), V::Mul(a, s)), count);
    }
  }
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_ROWS_H_
