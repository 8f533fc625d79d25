// What kernels that stream weights past once, for few rows of activations, have in common.
#ifndef LITERTLM_KERNELS_SIMD_STREAM_H_
#define LITERTLM_KERNELS_SIMD_STREAM_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/store_outputs.h"

namespace litertlm {

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

/// Stores the products of kRows rows from `row` on, as StreamOutputs does, kStreams outputs at a
/// time: `compute(output, lanes)` fills lanes[s][r] for the outputs `output` + s * apart.
template <typename V, size_t kRows, int kUnit, size_t kStreams, typename F>
void StreamGroups(const DynamicArgs& args, size_t row, Outputs outputs, const F& compute) {
  constexpr size_t kTogether = 4;  // The lanes of four outputs are added up in one go.
  constexpr size_t kStep = kTogether / kStreams;
  for (size_t first = outputs.begin; first < outputs.end; first += kStep) {
    const size_t left = outputs.end - first;
    const size_t live = left < kStep ? left : kStep;
    typename V::I sums[kRows][kTogether];
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (size_t n = 0; n < kTogether; ++n) sums[r][n] = V::Zero();
    }
    for (size_t i = 0; i < live; ++i) {
      typename V::I lanes[kStreams][kRows];
      compute(first + i, lanes);
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
        for (size_t s = 0; s < kStreams; ++s) sums[r][i * kStreams + s] = lanes[s][r];
      }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      int32_t totals[kTogether];
      V::Sum4(sums[r], totals);
      for (size_t i = 0; i < live * kStreams; ++i) {
        const size_t output = first + i / kStreams + i % kStreams * outputs.apart;
        StoreOutput(args, row + r, output, totals[i] / kUnit);
      }
    }
  }
}

/// Stores the products of kRows rows from `row` on. `compute` is as above, for one stream and for
/// two; it gives each product spread over lanes and kUnit times as large.
template <typename V, size_t kRows, int kUnit, typename F>
void StreamOutputs(const DynamicArgs& args, size_t row, Outputs outputs, const F& compute) {
  if (outputs.apart != 0) {
    StreamGroups<V, kRows, kUnit, 2>(args, row, outputs, compute);
  } else {
    StreamGroups<V, kRows, kUnit, 1>(args, row, outputs, compute);
  }
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_STREAM_H_
