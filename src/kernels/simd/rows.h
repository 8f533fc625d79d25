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

  /// 1 / sqrt(mean(x²) + epsilon)
  static F NormFactor(const float* x, size_t count, float epsilon) {
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
    return V::SetF(1.0f / __builtin_sqrtf(mean + epsilon));
  }

  static void RmsNorm(const float* x, const float* gains, float* y, size_t count, float epsilon) {
    const F factor = NormFactor(x, count, epsilon);
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

  static void Rope(const Rotation& rotation, size_t row, const float* x, float* y, size_t size) {
    const float* cos = rotation.cos + row * rotation.width;
    const float* sin = rotation.sin + row * rotation.width;
    const float* gains = rotation.gains;
    if (gains == nullptr) {
      return Turn(cos, sin, y, size / 2, [x](size_t i, const auto& load) { return load(x + i); });
    }
    const F factor = NormFactor(x, size, rotation.epsilon);
    Turn(cos, sin, y, size / 2, [x, factor, gains](size_t i, const auto& load) {
      return V::Mul(V::Mul(load(x + i), factor), load(gains + i));
    });
  }

 private:
  /// `head(i, load)` gives the numbers from the i-th on, as many as `load` loads.
  template <typename Head>
  static void Turn(const float* cos, const float* sin, float* y, size_t half, const Head& head) {
    const auto turn = [&](size_t i, const auto& load, const auto& store) {
      const F a = head(i, load);
      const F b = head(half + i, load);
      const F c = load(cos + i);
      const F s = load(sin + i);
      store(y + i, V::Sub(V::Mul(a, c), V::Mul(b, s)));
      store(y + half + i, V::Add(V::Mul(b, c), V::Mul(a, s)));
    };
    size_t i = 0;
    for (; i + V::kLanes <= half; i += V::kLanes) turn(i, V::LoadF, V::StoreF);
    if (const size_t rest = half - i; rest > 0) {
      turn(
          i, [rest](const float* from) { return V::LoadPartF(from, rest); },
          [rest](float* to, F v) { V::StorePartF(to, v, rest); });
    }
  }
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_ROWS_H_
