// Float products of few rows: the weights stream past once and are widened in registers.
#ifndef LITERTLM_KERNELS_SIMD_FLOAT_STREAM_H_
#define LITERTLM_KERNELS_SIMD_FLOAT_STREAM_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/widen.h"

namespace litertlm {

template <typename V, DType kType, size_t kRows>
class FloatStream {
  using F = typename V::F;
  using Row = WidenedRow<V, kType>;
  static constexpr size_t kLanes = V::kLanes;
  static constexpr size_t kAhead = 4096;  ///< Over the end of a page; see dynamic_stream.h.

 public:
  static void Run(const FloatArgs& args, size_t row, Range outputs) {
    constexpr size_t kOutputs = 4;
    size_t n = outputs.begin;
    for (; n + kOutputs <= outputs.end; n += kOutputs) Group<kOutputs>(args, row, n);
    for (; n < outputs.end; ++n) Group<1>(args, row, n);
  }

 private:
  template <size_t kOutputs>
  static void Group(const FloatArgs& args, size_t row, size_t output) {
    Row w[kOutputs];
    F sums[kRows][kOutputs];
#pragma GCC unroll 4
    for (size_t n = 0; n < kOutputs; ++n) {
      w[n] = Row(args.w, output + n);
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) sums[r][n] = V::ZeroF();
    }
    const float* x = args.x + row * args.x_stride;
    const size_t columns = args.w.columns;
    size_t column = 0;
    for (; column + kLanes <= columns; column += kLanes) {
#pragma GCC unroll 4
      for (size_t n = 0; n < kOutputs; ++n) {
        const F loaded = w[n].Load(column);
        w[n].Prefetch(column, kAhead);
#pragma GCC unroll 4
        for (size_t r = 0; r < kRows; ++r) {
          sums[r][n] = V::MulAdd(V::LoadF(x + r * args.x_stride + column), loaded, sums[r][n]);
        }
      }
    }
    const size_t left = columns - column;
#pragma GCC unroll 4
    for (size_t n = 0; n < kOutputs; ++n) {
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) {
        F sum = sums[r][n];
        if (left > 0) {
          const F rest = V::LoadPartF(x + r * args.x_stride + column, left);
          sum = V::MulAdd(rest, w[n].LoadTail(column, left), sum);
        }
        float y = V::ReduceAdd(sum);
        if (args.bias) y += args.bias[output + n];
        args.y[(row + r) * args.y_stride + output + n] = y;
      }
    }
  }
};

/// The streaming kernel for 1 to 4 rows.
template <typename V, DType kType>
void StreamFloatRows(const FloatArgs& args, Range rows, Range outputs) {
  switch (rows.end - rows.begin) {
    case 1:
      return FloatStream<V, kType, 1>::Run(args, rows.begin, outputs);
    case 2:
      return FloatStream<V, kType, 2>::Run(args, rows.begin, outputs);
    case 3:
      return FloatStream<V, kType, 3>::Run(args, rows.begin, outputs);
    case 4:
      return FloatStream<V, kType, 4>::Run(args, rows.begin, outputs);
    default:
      return;
  }
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_FLOAT_STREAM_H_
