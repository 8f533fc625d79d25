// Products of numbers coded as words of 16 bits: some rows by some vectors of outputs, sums in
// registers.
#ifndef LITERTLM_KERNELS_SIMD_WORD_TILE_H_
#define LITERTLM_KERNELS_SIMD_WORD_TILE_H_

#include <cstddef>
#include <cstdint>

#include "kernels/simd/float_tile.h"
#include "kernels/simd/in_register.h"

namespace litertlm {

/// Whether an instruction multiplies words and adds the products up by twos to 32 bits. With two
/// instructions for that, floats are as fast.
template <typename V>
concept MultipliesWords = requires(typename V::I v) {
  V::DotWords(v, v, v);
};

/// y[r, n] = or += x_factors[r] w_factors[n] Σ x[r * x_stride + i * x_step] · w[i * w_step + n]
/// over `steps` values of i, where x and w are pairs of words. Sums must fit into 32 bits. The
/// number of outputs n is a multiple of V::kLanes.
template <typename V>
struct WordProduct {
  using F = typename V::F;
  using I = typename V::I;
  static constexpr size_t kLanes = V::kLanes;

  const int32_t* x;
  size_t x_stride;
  size_t x_step;
  const float* x_factors;
  const int32_t* w;
  size_t w_step;
  const float* w_factors;
  size_t steps;
  float* y;
  size_t y_stride;
  bool add;

  void Run(size_t rows, size_t outputs) const {
    size_t n = 0;
    for (; n + V::kVectors * kLanes <= outputs; n += V::kVectors * kLanes) {
      Rows<V::kVectors>(rows, n);
    }
    for (; n < outputs; n += kLanes) Rows<1>(rows, n);
  }

 private:
  template <size_t kWide>
  void Rows(size_t rows, size_t n) const {
    InTiles<V::kTileRows, 4, 2, 1>(rows,
                                   [&]<size_t kRows>(size_t row) { Tile<kRows, kWide>(row, n); });
  }

  template <size_t kRows, size_t kWide>
  void Tile(size_t row, size_t n) const {
    I sum[kRows][kWide];
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kWide; ++v) sum[r][v] = V::Zero();
    }
    Accumulate(x + row * x_stride, w + n, sum);
    F factors[kWide];
#pragma GCC unroll 8
    for (size_t v = 0; v < kWide; ++v) factors[v] = V::LoadF(w_factors + n + v * kLanes);
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
      const F row_factor = V::SetF(x_factors[row + r]);
#pragma GCC unroll 8
      for (size_t v = 0; v < kWide; ++v) {
        Finish(row + r, n + v * kLanes, V::ToFloat(InRegister(sum[r][v])),
               V::Mul(row_factor, factors[v]));
      }
    }
  }

  template <size_t kRows, size_t kWide>
  [[gnu::always_inline]] void Accumulate(const int32_t* from, const int32_t* with,
                                         I (&sum)[kRows][kWide]) const {
    for (size_t i = 0; i < steps; ++i, from += x_step, with += w_step) {
      I loaded[kWide];
#pragma GCC unroll 8
      for (size_t v = 0; v < kWide; ++v) loaded[v] = V::Load(with + v * kLanes);
#pragma GCC unroll 16
      for (size_t r = 0; r < kRows; ++r) {
        const I pair = V::Set32(from[r * x_stride]);
#pragma GCC unroll 8
        for (size_t v = 0; v < kWide; ++v) sum[r][v] = V::DotWords(sum[r][v], pair, loaded[v]);
      }
    }
  }

  [[gnu::always_inline]] void Finish(size_t row, size_t n, F sum, F factor) const {
    float* to = y + row * y_stride + n;
    V::StoreF(to, add ? V::MulAdd(sum, factor, V::LoadF(to)) : V::Mul(sum, factor));
  }
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_WORD_TILE_H_
