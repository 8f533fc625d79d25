// Integer products of few rows: the weights stream past once, as they lie in memory, and meet the
// codes along the columns. Memory is the limit, so one row of weights is read after the other: a
// single stream is what the hardware's prefetchers follow best.
#ifndef LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_
#define LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/stream.h"
#include "kernels/simd/unpack.h"

namespace litertlm {

template <typename V, typename Weights, size_t kRows>
class DynamicStream {
  using I = typename V::I;
  static constexpr size_t kVectorBytes = Weights::kPacked ? V::kBytes / 2 : V::kBytes;

 public:
  static void Run(const DynamicArgs& args, size_t row, Range outputs) {
    const uint8_t* codes = args.codes + row * args.code_stride;
    StreamOutputs<V, kRows, Weights::kUnit>(args, row, outputs, [&](size_t n, I(&lanes)[kRows]) {
      const Sums sums = Output(Weights::Row(args.w, n), codes, args);
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) {
        const I zero_point = V::Set32(args.codings[row + r].zero_point - V::kCodeOffset);
        lanes[r] = V::Sub32(sums.products[r], V::Mul32(zero_point, sums.weights));
      }
    });
  }

 private:
  struct Sums {
    I products[kRows];
    I weights;
  };

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
  WithRowCount(rows.end - rows.begin, [&]<size_t kRows>() {
    DynamicStream<V, Weights, kRows>::Run(args, rows.begin, outputs);
  });
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_
