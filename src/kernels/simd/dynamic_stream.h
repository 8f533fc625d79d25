// Integer products of few rows: the weights stream past once, as they lie in memory, and meet the
// codes along the columns. Memory is the limit, so what matters is that loads run ahead.
#ifndef LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_
#define LITERTLM_KERNELS_SIMD_DYNAMIC_STREAM_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/unpack.h"

namespace litertlm {

template <typename V, typename Weights, size_t kRows>
class DynamicStream {
  using I = typename V::I;
  /// Outputs computed together: their sums are added up across lanes in one go.
  static constexpr size_t kOutputs = 4;
  /// How far ahead of its use memory is asked for: over the end of a page, where the hardware's
  /// own prefetching stops.
  static constexpr size_t kAhead = 4096;

 public:
  static void Run(const DynamicArgs& args, size_t row, Range outputs) {
    size_t n = outputs.begin;
    for (; n + kOutputs <= outputs.end; n += kOutputs) Group<kOutputs>(args, row, n);
    for (; n < outputs.end; ++n) Group<1>(args, row, n);
  }

 private:
  template <size_t kLive>
  struct Sums {
    I products[kRows][kOutputs];
    I weights[kOutputs];
  };

  template <size_t kLive>
  static void Group(const DynamicArgs& args, size_t row, size_t output) {
    Sums<kLive> sums;
#pragma GCC unroll 4
    for (size_t n = 0; n < kOutputs; ++n) {
      sums.weights[n] = V::Zero();
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) sums.products[r][n] = V::Zero();
    }
    const uint8_t* codes = args.codes + row * args.code_stride;
    const size_t columns = args.w.columns;
    size_t column = 0;
    const uint8_t* w[kLive];
#pragma GCC unroll 4
    for (size_t n = 0; n < kLive; ++n) w[n] = Weights::Row(args.w, output + n);
    for (; column + V::kBytes <= columns; column += V::kBytes) {
      I loaded[kLive];
#pragma GCC unroll 4
      for (size_t n = 0; n < kLive; ++n) {
        loaded[n] = Weights::Load(w[n], column);
        if (!Weights::kPacked || column % (2 * V::kBytes) == 0) {
          __builtin_prefetch(w[n] + column / (Weights::kPacked ? 2 : 1) + kAhead);
        }
      }
      Accumulate<kLive>(sums, loaded, codes + column, args.code_stride);
    }
    if (column < columns) {
      I loaded[kLive];
#pragma GCC unroll 4
      for (size_t n = 0; n < kLive; ++n) {
        loaded[n] = Weights::LoadTail(w[n], column, columns - column);
      }
      Accumulate<kLive>(sums, loaded, codes + column, args.code_stride);
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) Finish<kLive>(args, row + r, output, sums, r);
  }

  template <size_t kLive>
  static void Accumulate(Sums<kLive>& sums, const I* loaded, const uint8_t* codes, size_t stride) {
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      const I u = V::Load(codes + r * stride);
#pragma GCC unroll 4
      for (size_t n = 0; n < kLive; ++n) {
        sums.products[r][n] = V::Dot(sums.products[r][n], u, loaded[n]);
      }
    }
#pragma GCC unroll 4
    for (size_t n = 0; n < kLive; ++n) {
      sums.weights[n] = V::SumBytes(sums.weights[n], loaded[n]);
    }
  }

  template <size_t kLive>
  static void Finish(const DynamicArgs& args, size_t row, size_t output, const Sums<kLive>& sums,
                     size_t r) {
    const RowCoding& coding = args.codings[row];
    const I zero_point = V::Set32(coding.zero_point - V::kCodeOffset);
    I dot[kOutputs];
#pragma GCC unroll 4
    for (size_t n = 0; n < kOutputs; ++n) {
      dot[n] = V::Sub32(sums.products[r][n], V::Mul32(zero_point, sums.weights[n]));
    }
    int32_t totals[kOutputs];
    V::Sum4(dot, totals);
    for (size_t n = 0; n < kLive; ++n) {
      const WeightMatrix& w = args.w;
      const float scale = w.scales[w.scale_count == 1 ? 0 : output + n];
      const int32_t total = totals[n] / Weights::kUnit;  // Exact: codes were multiplied by it.
      float y = static_cast<float>(total) * coding.scale * scale;
      if (args.bias) y += args.bias[output + n];
      args.y[row * args.y_stride + output + n] = y;
    }
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
