// Integer products of few rows: the weights stream past once, as they lie in memory, and meet the
// codes along the columns. Memory is the limit, so one row of weights is read after the other: a
// single stream is what the hardware's prefetchers follow best.
#ifndef LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_
#define LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/store_outputs.h"
#include "kernels/simd/stream_ahead.h"
#include "kernels/simd/unpack.h"

namespace litertlm {

template <typename V, typename Weights, size_t kRows>
class DynamicStream {
  using I = typename V::I;
  /// Outputs whose sums are added up across lanes in one go.
  static constexpr size_t kOutputs = 4;
  static constexpr size_t kVectorBytes = Weights::kPacked ? V::kBytes / 2 : V::kBytes;

 public:
  static void Run(const DynamicArgs& args, size_t row, Range outputs) {
    size_t n = outputs.begin;
    for (; n + kOutputs <= outputs.end; n += kOutputs) Group(args, row, n, kOutputs);
    if (n < outputs.end) Group(args, row, n, outputs.end - n);
  }

 private:
  struct Sums {
    I products[kRows];
    I weights;
  };

  static void Group(const DynamicArgs& args, size_t row, size_t output, size_t live) {
    const uint8_t* codes = args.codes + row * args.code_stride;
    I sums[kRows][kOutputs];
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (size_t n = 0; n < kOutputs; ++n) sums[r][n] = V::Zero();
    }
    for (size_t n = 0; n < live; ++n) {
      const Sums one = Output(Weights::Row(args.w, output + n), codes, args);
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) {
        const I zero_point = V::Set32(args.codings[row + r].zero_point - V::kCodeOffset);
        sums[r][n] = V::Sub32(one.products[r], V::Mul32(zero_point, one.weights));
      }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      int32_t totals[kOutputs];
      V::Sum4(sums[r], totals);
      for (size_t n = 0; n < live; ++n) {
        // Exact: codes were multiplied by the unit.
        StoreOutput(args, row + r, output + n, totals[n] / Weights::kUnit);
      }
    }
  }

  [[gnu::always_inline]] static Sums Output(const uint8_t* w, const uint8_t* codes,
                                            const DynamicArgs& args) {
    Sums even = Empty();
    Sums odd = Empty();  // A second chain of sums, which need not wait for the first.
    const size_t columns = args.w.columns;
    const size_t stride = args.code_stride;
    size_t column = 0;
    for (; column + 2 * V::kBytes <= columns; column += 2 * V::kBytes) {
      for (size_t ahead = 0; ahead < 2 * kVectorBytes; ahead += kCacheLine) {
        __builtin_prefetch(w + column * kVectorBytes / V::kBytes + kStreamAhead + ahead);
      }
      Accumulate(even, Weights::Load(w, column), codes + column, stride);
      Accumulate(odd, Weights::Load(w, column + V::kBytes), codes + column + V::kBytes, stride);
    }
    if (column + V::kBytes <= columns) {
      Accumulate(even, Weights::Load(w, column), codes + column, stride);
      column += V::kBytes;
    }
    if (column < columns) {
      Accumulate(odd, Weights::LoadTail(w, column, columns - column), codes + column, stride);
    }
    even.weights = V::Add32(even.weights, odd.weights);
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      even.products[r] = V::Add32(even.products[r], odd.products[r]);
    }
    return even;
  }

  [[gnu::always_inline]] static Sums Empty() {
    Sums sums;
    sums.weights = V::Zero();
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) sums.products[r] = V::Zero();
    return sums;
  }

  [[gnu::always_inline]] static void Accumulate(Sums& sums, I w, const uint8_t* codes,
                                                size_t stride) {
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      sums.products[r] = Weights::Dot(sums.products[r], V::Load(codes + r * stride), w);
    }
    sums.weights = V::SumBytes(sums.weights, w);
  }
};

/// The streaming kernel for 1 to 4 rows.
template <typename V, typename Weights>
void StreamRows(const DynamicArgs& args, Range rows, Range outputs) {
  switch (rows.end - rows.begin) {
    case 1:
      return DynamicStream<V, Weights, 1>::Run(args, rows.begin, outputs);
    case 2:
      return DynamicStream<V, Weights, 2>::Run(args, rows.begin, outputs);
    case 3:
      return DynamicStream<V, Weights, 3>::Run(args, rows.begin, outputs);
    case 4:
      return DynamicStream<V, Weights, 4>::Run(args, rows.begin, outputs);
    default:
      return;
  }
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_
