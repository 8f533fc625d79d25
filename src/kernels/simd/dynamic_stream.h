// Integer products of few rows: the weights stream past once, as they lie in memory, and meet the
// codes along the columns. Memory is the limit: each thread reads one long stream, well ahead.
#ifndef LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_
#define LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/in_register.h"
#include "kernels/simd/stream.h"
#include "kernels/simd/unpack.h"

namespace litertlm {

template <typename V, typename Weights, size_t kRows, bool kPast>
class DynamicStream {
  using I = typename V::I;
  static constexpr size_t kSums = kRows + 1;  ///< The rows' products, and the sum of the weights.

 public:
  static void Run(const DynamicArgs& args, size_t row, Range outputs) {
    const uint8_t* codes = args.codes + row * args.code_stride;
    const size_t columns = args.w.columns;
    const size_t stride = args.code_stride;
    StreamOutputs<V, Weights, kRows, kSums>(
        args, row, outputs, [columns, codes, stride](const uint8_t* weights, I* sums) {
          Multiply(weights, columns, codes, stride, sums);
        });
  }

 private:
  [[gnu::always_inline]] static void Multiply(const uint8_t* w, size_t columns,
                                              const uint8_t* codes, size_t stride, I* sums) {
    I kept[kSums];
#pragma GCC unroll 5
    for (size_t i = 0; i < kSums; ++i) kept[i] = V::Zero();
    ForColumns<kPast, Weights, V::kBytes>(
        w, columns,
        [&](size_t column) __attribute__((always_inline)) {
          Accumulate(kept, Weights::Load(w, column), codes + column, stride);
        },
        [&](size_t column) __attribute__((always_inline)) {
          Accumulate(kept, Weights::LoadTail(w, column, columns - column), codes + column, stride);
        });
#pragma GCC unroll 5
    for (size_t i = 0; i < kSums; ++i) sums[i] = kept[i];
  }

  [[gnu::always_inline]] static void Accumulate(I (&sums)[kSums], I w, const uint8_t* codes,
                                                size_t stride) {
    w = InRegister(w);
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      sums[r] = Weights::Dot(sums[r], InRegister(V::Load(codes + r * stride)), w);
    }
    sums[kRows] = V::SumBytes(sums[kRows], w);
  }
};

/// The streaming kernel for 1 to 4 rows.
template <typename V, typename Weights>
void StreamRows(const DynamicArgs& args, Range rows, Range outputs) {
  WithRowCount(rows.end - rows.begin, [&]<size_t kRows, bool kPast>() {
    DynamicStream<V, Weights, kRows, kPast>::Run(args, rows.begin, outputs);
  });
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_
