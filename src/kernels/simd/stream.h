// What kernels that stream weights past once, for few rows of activations, have in common.
#ifndef LITERTLM_KERNELS_SIMD_STREAM_H_
#define LITERTLM_KERNELS_SIMD_STREAM_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/read_ahead.h"
#include "kernels/simd/store_outputs.h"

namespace litertlm {

/// Calls `stream.operator()<N, kPast>()` for N = `rows`, which is 1 to 4.
template <bool kPast, typename F>
void WithRowCount(size_t rows, const F& stream) {
  switch (rows) {
    case 1:
      return stream.template operator()<1, kPast>();
    case 2:
      return stream.template operator()<2, kPast>();
    case 3:
      return stream.template operator()<3, kPast>();
    case 4:
      return stream.template operator()<4, kPast>();
    default:
      return;
  }
}

/// The same, with kPast = kReadsPastSecondLevel, which a loop had better not ask for at each line.
template <typename F>
void WithRowCount(size_t rows, const F& stream) {
  kReadsPastSecondLevel ? WithRowCount<true>(rows, stream) : WithRowCount<false>(rows, stream);
}

/// Calls `whole(column)` for each kColumns of a row of weights, then `rest(column)` if fewer are
/// left.
template <bool kPast, typename Weights, size_t kColumns, typename Whole, typename Rest>
[[gnu::always_inline]] inline void ForColumns(const uint8_t* weights, size_t columns,
                                              const Whole& whole, const Rest& rest) {
  size_t column = 0;
  constexpr size_t kStep = 4 * kColumns;  // The fewer instructions, the more reads under way.
  for (; column + kStep <= columns; column += kStep) {
#pragma GCC unroll 4
    for (size_t i = 0; i < kStep; i += kColumns) {
      ReadAhead<kPast>(weights + Weights::Bytes(column), Weights::Bytes(i));
      whole(column + i);
    }
  }
  for (; column + kColumns <= columns; column += kColumns) {
    ReadAhead<kPast>(weights + Weights::Bytes(column));
    whole(column);
  }
  if (column < columns) rest(column);
}

/// Stores the products of kRows rows from `row` on. `compute(weights, lanes)` fills lanes[r] with
/// the product of row r and an output's weights, spread over lanes and Weights::kUnit times as
/// large. With kSums = kRows + 1 the last one is the sum of the weights, which takes the rows' zero
/// points off the products.
///
/// All outputs go through the one loop that `compute` is: prefetchers tell streams apart by the
/// instruction that reads. With a copy of it for every second output each of the two would see a
/// stream with gaps, which costs a sixth of the speed on Zen 5. What it needs are copies: members
/// that are read from memory anew for each output cost another tenth.
template <typename V, typename Weights, size_t kRows, size_t kSums, typename F>
void StreamOutputs(const DynamicArgs& all, size_t row, Range outputs, const F compute) {
  const DynamicArgs args = all;
  // Scales are read too slowly for the hardware to see a stream. Their lines are wanted before the
  // end of a sum waits for them, and everything behind it.
  constexpr size_t kScalesAhead = 32;
  constexpr size_t kPadded = (kSums + 3) / 4 * 4;
  for (size_t output = outputs.begin; output < outputs.end; ++output) {
    __builtin_prefetch(args.w.scales + output + kScalesAhead);
    typename V::I lanes[kPadded];
    for (size_t i = kSums; i < kPadded; ++i) lanes[i] = V::Zero();
    compute(Weights::Row(args.w, output), lanes);
    int32_t totals[kPadded];
    for (size_t i = 0; i < kPadded; i += 4) V::Sum4(lanes + i, totals + i);
    for (size_t r = 0; r < kRows; ++r) {
      int32_t total = totals[r];
      if constexpr (kSums > kRows) {
        total -= (args.codings[row + r].zero_point - V::kCodeOffset) * totals[kRows];
      }
      StoreOutput(args, row + r, output, total / Weights::kUnit);
    }
  }
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_STREAM_H_
