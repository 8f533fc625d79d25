// Integer products of few rows: the weights stream past once, as they lie in memory, and meet the
// codes along the columns. Memory is the limit, and the hardware's prefetchers know best how far
// ahead to read: they are given one or two long streams, and no instructions.
#ifndef LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_
#define LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/in_register.h"
#include "kernels/simd/stream.h"
#include "kernels/simd/unpack.h"

namespace litertlm {

template <typename V, typename Weights, size_t kRows>
class DynamicStream {
  using I = typename V::I;
  static constexpr size_t kSums = kRows + 1;  ///< The rows' products, and the sum of the weights.

 public:
  static void Run(const DynamicArgs& args, size_t row, Outputs outputs) {
    const uint8_t* codes = args.codes + row * args.code_stride;
    StreamOutputs<V, kRows, kSums, Weights::kUnit>(
        args, row, outputs, [&]<size_t kStreams>(size_t n, I* lanes) {
          const uint8_t* w[kStreams];
#pragma GCC unroll 2
          for (size_t s = 0; s < kStreams; ++s) w[s] = Weights::Row(args.w, n + s * outputs.apart);
          Sums sums[kStreams];
          Multiply(w, codes, args, sums);
#pragma GCC unroll 2
          for (size_t s = 0; s < kStreams; ++s) {
#pragma GCC unroll 4
            for (size_t r = 0; r < kRows; ++r) lanes[r * kStreams + s] = sums[s].products[r];
            lanes[kRows * kStreams + s] = sums[s].weights;
          }
        });
  }

 private:
  struct Sums {
    I products[kRows];
    I weights;
  };

  template <size_t kStreams>
  [[gnu::always_inline]] static void Multiply(const uint8_t* const (&w)[kStreams],
                                              const uint8_t* codes, const DynamicArgs& args,
                                              Sums (&sums)[kStreams]) {
    const size_t columns = args.w.columns;
    const size_t stride = args.code_stride;
#pragma GCC unroll 2
    for (size_t s = 0; s < kStreams; ++s) Clear(sums[s]);
    const auto accumulate = [&](size_t column) __attribute__((always_inline)) {
#pragma GCC unroll 2
      for (size_t s = 0; s < kStreams; ++s) {
        Accumulate(sums[s], Weights::Load(w[s], column), codes + column, stride);
      }
    };
    size_t column = 0;
    constexpr size_t kStep = 4 * V::kBytes;  // The fewer instructions, the more reads under way.
    for (; column + kStep <= columns; column += kStep) {
#pragma GCC unroll 4
      for (size_t i = 0; i < kStep; i += V::kBytes) accumulate(column + i);
    }
    for (; column + V::kBytes <= columns; column += V::kBytes) accumulate(column);
    if (column == columns) return;
#pragma GCC unroll 2
    for (size_t s = 0; s < kStreams; ++s) {
      Accumulate(sums[s], Weights::LoadTail(w[s], column, columns - column), codes + column,
                 stride);
    }
  }

  [[gnu::always_inline]] static void Clear(Sums& sums) {
    sums.weights = V::Zero();
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) sums.products[r] = V::Zero();
  }

  [[gnu::always_inline]] static void Accumulate(Sums& sums, I w, const uint8_t* codes,
                                                size_t stride) {
    w = InRegister(w);
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      sums.products[r] = Weights::Dot(sums.products[r], InRegister(V::Load(codes + r * stride)), w);
    }
    sums.weights = V::SumBytes(sums.weights, w);
  }
};

/// The streaming kernel for 1 to 4 rows.
template <typename V, typename Weights>
void StreamRows(const DynamicArgs& args, Range rows, Outputs outputs) {
  WithRowCount(rows.end - rows.begin, [&]<size_t kRows>() {
    DynamicStream<V, Weights, kRows>::Run(args, rows.begin, outputs);
  });
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_
