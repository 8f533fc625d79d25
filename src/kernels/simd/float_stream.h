// Float products of few rows: the weights stream past once and are widened in registers.
#ifndef LITERTLM_KERNELS_SIMD_FLOAT_STREAM_H_
#define LITERTLM_KERNELS_SIMD_FLOAT_STREAM_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/read_ahead.h"
#include "kernels/simd/stream.h"
#include "kernels/simd/widen.h"

namespace litertlm {

template <typename V, DType kType, size_t kRows, bool kPast>
class FloatStream {
  using F = typename V::F;
  using Row = WidenedRow<V, kType>;
  static constexpr size_t kLanes = V::kLanes;
  /// Chains of sums for each row of activations, so that none waits for the one before.
  static constexpr size_t kChains = kRows <= 2 ? 4 : 2;

 public:
  static void Run(const FloatArgs& all, size_t row, Range outputs) {
    const FloatArgs args = all;  // As in StreamOutputs.
    for (size_t n = outputs.begin; n < outputs.end; ++n) Multiply(args, row, n);
  }

 private:
  /// Stores one output.
  [[gnu::always_inline]] static void Multiply(const FloatArgs& args, size_t row, size_t output) {
    const Row w(args.w, output);
    float sums[kRows];
    const bool blocks = args.w.block != 0;
    if (blocks) {
      Sum<true>(args, w, row, sums);
    } else {
      Sum<false>(args, w, row, sums);  // A scale of the whole row can wait for the sum.
    }
    for (size_t r = 0; r < kRows; ++r) {
      float y = blocks ? sums[r] : sums[r] * w.scale();
      if (args.bias) y += args.bias[output];
      args.y[(row + r) * args.y_stride + output] = y;
    }
  }

  template <bool kScaled>
  [[gnu::always_inline]] static void Sum(const FloatArgs& args, const Row& w, size_t row,
                                         float (&totals)[kRows]) {
    constexpr size_t kStep = kChains * kLanes;
    F sums[kChains][kRows];
#pragma GCC unroll 4
    for (size_t c = 0; c < kChains; ++c) {
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) sums[c][r] = V::ZeroF();
    }
    const float* x = args.x + row * args.x_stride;
    const size_t stride = args.x_stride;
    const size_t columns = args.w.columns;
    size_t column = 0;
    for (; column + kStep <= columns; column += kStep) {
#pragma GCC unroll 4
      for (size_t c = 0; c < kChains; ++c) {
        const size_t part = column + c * kLanes;
        ReadAhead<kPast>(w.Data(column), c * Row::kVectorBytes);
        const F loaded = kScaled ? w.Load(part) : w.Codes(part);
#pragma GCC unroll 4
        for (size_t r = 0; r < kRows; ++r) {
          sums[c][r] = V::MulAdd(V::LoadF(x + r * stride + part), loaded, sums[c][r]);
        }
      }
    }
    for (; column < columns; column += kLanes) {
      const size_t left = columns - column < kLanes ? columns - column : kLanes;
      ReadAhead<kPast>(w.Data(column));
      const F loaded = kScaled ? w.LoadTail(column, left) : w.CodesTail(column, left);
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) {
        const F rest = V::LoadPartF(x + r * stride + column, left);
        sums[0][r] = V::MulAdd(rest, loaded, sums[0][r]);
      }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (size_t c = 1; c < kChains; ++c) sums[0][r] = V::Add(sums[0][r], sums[c][r]);
      totals[r] = V::ReduceAdd(sums[0][r]);
    }
  }
};

/// The streaming kernel for 1 to 4 rows.
template <typename V, DType kType>
void StreamFloatRows(const FloatArgs& args, Range rows, Range outputs) {
  WithRowCount(rows.end - rows.begin, [&]<size_t kRows, bool kPast>() {
    FloatStream<V, kType, kRows, kPast>::Run(args, rows.begin, outputs);
  });
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_FLOAT_STREAM_H_
