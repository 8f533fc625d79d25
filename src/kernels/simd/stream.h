// What kernels that stream weights past once, for few rows of activations, have in common.
#ifndef LITERTLM_KERNELS_SIMD_STREAM_H_
#define LITERTLM_KERNELS_SIMD_STREAM_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/store_outputs.h"

namespace litertlm {

/// How far ahead of its use memory is asked for. Further than a few lines, so that the next page is
/// touched in time, and near enough to be still in the first-level cache when its turn comes.
inline constexpr size_t kStreamAhead = 1024;
inline constexpr size_t kCacheLine = 64;

/// Calls `stream.operator()<N>()` for N = `rows`, which is 1 to 4.
template <typename F>
void WithRowCount(size_t rows, const F& stream) {
  switch (rows) {
    case 1:
      return stream.template operator()<1>();
    case 2:
      return stream.template operator()<2>();
    case 3:
      return stream.template operator()<3>();
    case 4:
      return stream.template operator()<4>();
    default:
      return;
  }
}

/// Stores the products of kRows rows from `row` on. `one(output, sums)` computes those of one
/// output, spread over lanes and kUnit times as large; the lanes of four outputs are added up in
/// one go.
template <typename V, size_t kRows, int kUnit, typename F>
void StreamOutputs(const DynamicArgs& args, size_t row, Range outputs, const F& one) {
  constexpr size_t kTogether = 4;
  for (size_t first = outputs.begin; first < outputs.end; first += kTogether) {
    const size_t left = outputs.end - first;
    const size_t live = left < kTogether ? left : kTogether;
    typename V::I sums[kRows][kTogether];
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (size_t n = 0; n < kTogether; ++n) sums[r][n] = V::Zero();
    }
    for (size_t n = 0; n < live; ++n) {
      typename V::I lanes[kRows];
      one(first + n, lanes);
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) sums[r][n] = lanes[r];
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      int32_t totals[kTogether];
      V::Sum4(sums[r], totals);
      for (size_t n = 0; n < live; ++n) StoreOutput(args, row + r, first + n, totals[n] / kUnit);
    }
  }
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_STREAM_H_
