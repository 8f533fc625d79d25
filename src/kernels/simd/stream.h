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

/// Calls `stream.operator()<N>()` for N = 2 where outputs are read as two streams, else 1.
template <typename F>
void WithStreamCount(const Outputs& outputs, const F& stream) {
  if (outputs.apart != 0) return stream.template operator()<2>();
  stream.template operator()<1>();
}

/// Stores the products of kRows rows from `row` on. `compute(output, lanes)` fills
/// lanes[i * kStreams + s] for the output `output` + s * apart of each stream s: i < kRows are the
/// rows' products, each spread over lanes and kUnit times as large. With kSums = kRows + 1 the last
/// one is the sum of the weights, which takes the rows' zero points off the products.
///
/// All outputs go through the one loop that `compute` is: prefetchers tell streams apart by the
/// instruction that reads. With a copy of it for every second output each of the two would see a
/// stream with gaps, which costs a sixth of the speed on Zen 5.
template <typename V, size_t kRows, size_t kSums, int kUnit, typename F>
void StreamOutputs(const DynamicArgs& args, size_t row, Outputs outputs, const F& compute) {
  // Scales are read too slowly for the hardware to see a stream. Their lines are wanted before the
  // end of a sum waits for them, and everything behind it.
  constexpr size_t kScalesAhead = 32;
  WithStreamCount(outputs, [&]<size_t kStreams>() {
    constexpr size_t kPadded = (kSums * kStreams + 3) / 4 * 4;
    for (size_t first = outputs.begin; first < outputs.end; ++first) {
#pragma GCC unroll 2
      for (size_t s = 0; s < kStreams; ++s) {
        __builtin_prefetch(args.w.scales + first + s * outputs.apart + kScalesAhead);
      }
      typename V::I lanes[kPadded];
      for (size_t i = kSums * kStreams; i < kPadded; ++i) lanes[i] = V::Zero();
      compute.template operator()<kStreams>(first, lanes);
      int32_t totals[kPadded];
      for (size_t i = 0; i < kPadded; i += 4) V::Sum4(lanes + i, totals + i);
      for (size_t r = 0; r < kRows; ++r) {
        const int32_t zero_point = args.codings[row + r].zero_point - V::kCodeOffset;
        for (size_t s = 0; s < kStreams; ++s) {
          int32_t total = totals[r * kStreams + s];
          if constexpr (kSums > kRows) total -= zero_point * totals[kRows * kStreams + s];
          StoreOutput(args, row + r, first + s * outputs.apart, total / kUnit);
        }
      }
    }
  });
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_STREAM_H_
