// The inner loop of products of floats: some rows by some vectors of outputs, sums in registers.
#ifndef LITERTLM_KERNELS_SIMD_FLOAT_TILE_H_
#define LITERTLM_KERNELS_SIMD_FLOAT_TILE_H_

#include <cstddef>
#include <cstdint>

namespace litertlm {

/// V::kLanes numbers as floats.
template <typename V>
typename V::F LoadAsFloat(const float* p) {
  return V::LoadF(p);
}
template <typename V>
typename V::F LoadAsFloat(const uint16_t* p) {  // f16
  return V::WidenF16(p);
}

/// sum[r][v] += Σ x[r * x_stride + i] * w[i * w_step + v * V::kLanes …] over `steps` values of i.
/// All loops over sums are unrolled, so that each sum is a register.
template <typename V, size_t kRows, size_t kVectors, typename T>
[[gnu::always_inline]] inline void AccumulateTile(const float* x, size_t x_stride, const T* w,
                                                  size_t w_step, size_t steps,
                                                  typename V::F (&sum)[kRows][kVectors]) {
  for (size_t i = 0; i < steps; ++i, w += w_step, ++x) {
    typename V::F loaded[kVectors];
#pragma GCC unroll 8
    for (size_t v = 0; v < kVectors; ++v) loaded[v] = LoadAsFloat<V>(w + v * V::kLanes);
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
      const typename V::F one = V::SetF(x[r * x_stride]);
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = V::MulAdd(one, loaded[v], sum[r][v]);
    }
  }
}

/// y = x · w (or y += x · w), of a tile; y is [kRows, kVectors * V::kLanes].
template <typename V, size_t kRows, size_t kVectors, typename T>
void MultiplyTile(const float* x, size_t x_stride, const T* w, size_t w_step, size_t steps,
                  float* y, size_t y_stride, bool add) {
  typename V::F sum[kRows][kVectors];
#pragma GCC unroll 16
  for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (size_t v = 0; v < kVectors; ++v) {
      sum[r][v] = add ? V::LoadF(y + r * y_stride + v * V::kLanes) : V::ZeroF();
    }
  }
  AccumulateTile<V>(x, x_stride, w, w_step, steps, sum);
#pragma GCC unroll 16
  for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (size_t v = 0; v < kVectors; ++v) V::StoreF(y + r * y_stride + v * V::kLanes, sum[r][v]);
  }
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_FLOAT_TILE_H_
