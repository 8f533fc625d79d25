// The inner loop of products of floats: some rows by some vectors of outputs, sums in registers.
#ifndef LITERTLM_KERNELS_SIMD_FLOAT_TILE_H_
#define LITERTLM_KERNELS_SIMD_FLOAT_TILE_H_

#include <cstddef>
#include <cstdint>

#include "kernels/simd/read_ahead.h"

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
template <typename V>
typename V::F LoadAsFloat(const int8_t* p) {
  return V::WidenI8(p);
}

/// sum[r][v] += Σ x[r * x_stride + i * x_step] * w[i * w_step + v * V::kLanes …] over `steps`
/// values of i. All loops over sums are unrolled, so that each sum is a register. kStreamed: w
/// comes from memory, and what follows it is wanted next.
template <typename V, bool kStreamed = false, size_t kRows, size_t kVectors, typename T>
[[gnu::always_inline]] inline void AccumulateTile(const float* x, size_t x_stride, size_t x_step,
                                                  const T* w, size_t w_step, size_t steps,
                                                  typename V::F (&sum)[kRows][kVectors]) {
  for (size_t i = 0; i < steps; ++i, w += w_step, x += x_step) {
    typename V::F loaded[kVectors];
#pragma GCC unroll 8
    for (size_t v = 0; v < kVectors; ++v) {
      if constexpr (kStreamed) ReadAhead<false>(w, v * V::kLanes);
      loaded[v] = LoadAsFloat<V>(w + v * V::kLanes);
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
      const typename V::F one = V::SetF(x[r * x_stride]);
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = V::MulAdd(one, loaded[v], sum[r][v]);
    }
  }
}

/// y = x · w (or y += x · w), of a tile; y is [kRows, kVectors * V::kLanes].
template <typename V, bool kStreamed, size_t kRows, size_t kVectors, typename T>
[[gnu::always_inline]] inline void MultiplyTile(const float* x, size_t x_stride, size_t x_step,
                                                const T* w, size_t w_step, size_t steps, float* y,
                                                size_t y_stride, bool add) {
  typename V::F sum[kRows][kVectors];
#pragma GCC unroll 16
  for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (size_t v = 0; v < kVectors; ++v) {
      sum[r][v] = add ? V::LoadF(y + r * y_stride + v * V::kLanes) : V::ZeroF();
    }
  }
  AccumulateTile<V, kStreamed>(x, x_stride, x_step, w, w_step, steps, sum);
#pragma GCC unroll 16
  for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (size_t v = 0; v < kVectors; ++v) V::StoreF(y + r * y_stride + v * V::kLanes, sum[r][v]);
  }
}

/// Calls `tile.operator()<N>(row)` for all of `rows`, as many as there are with each N of kSizes in
/// turn; the last of these is 1.
template <size_t... kSizes, typename F>
void InTiles(size_t rows, const F& tile) {
  size_t row = 0;
  const auto all_of = [&]<size_t kRows>() {
    for (; row + kRows <= rows; row += kRows) tile.template operator()<kRows>(row);
  };
  (all_of.template operator()<kSizes>(), ...);
}

/// y = x · w (or y += x · w): x as AccumulateTile takes it, w [steps, outputs] with rows w_step
/// apart, y [rows, outputs]; `outputs` is a multiple of V::kLanes.
template <typename V, typename T, bool kStreamed = false>
struct FloatProduct {
  static constexpr size_t kLanes = V::kLanes;
  static constexpr bool kManyRegisters = V::kVectors * V::kTileRows >= 24;

  const float* x;
  size_t x_stride;
  size_t x_step;
  const T* w;
  size_t w_step;
  size_t steps;
  float* y;
  size_t y_stride;
  bool add;

  void Run(size_t rows, size_t outputs) const {
    size_t n = 0;
    // Few sums for each vector: more vectors hide the latency, and rows of values that are read
    // from memory are best read whole.
    if constexpr (kManyRegisters) {
      for (; rows <= 2 && n + 8 * kLanes <= outputs; n += 8 * kLanes) Rows<8>(rows, n);
    }
    constexpr size_t kFew = kManyRegisters ? 4 : 3;
    for (; rows <= kFew && n + 4 * kLanes <= outputs; n += 4 * kLanes) Rows<4>(rows, n);
    for (; n + V::kVectors * kLanes <= outputs; n += V::kVectors * kLanes) {
      Rows<V::kVectors>(rows, n);
    }
    for (; n < outputs; n += kLanes) Rows<1>(rows, n);
  }

 private:
  template <size_t kWide>
  void Rows(size_t rows, size_t n) const {
    const auto multiply = [&]<size_t kRows>(size_t row) {
      MultiplyTile<V, kStreamed, kRows, kWide>(x + row * x_stride, x_stride, x_step, w + n, w_step,
                                               steps, y + row * y_stride + n, y_stride, add);
    };
    if constexpr (kWide <= V::kVectors) {
      InTiles<V::kTileRows, 4, 2, 1>(rows, multiply);
    } else if constexpr (kWide == 4 && kManyRegisters) {
      InTiles<4, 2, 1>(rows, multiply);
    } else {
      InTiles<2, 1>(rows, multiply);
    }
  }
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_FLOAT_TILE_H_
