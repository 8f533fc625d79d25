// Float products of few rows: the weights stream past once and are widened in registers.
#ifndef LITERTLM_KERNELS_SIMD_FLOAT_STREAM_H_
#define LITERTLM_KERNELS_SIMD_FLOAT_STREAM_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/stream.h"
#include "kernels/simd/widen.h"

namespace litertlm {

template <typename V, DType kType, size_t kRows>
class FloatStream {
  using F = typename V::F;
  using Row = WidenedRow<V, kType>;
  static constexpr size_t kLanes = V::kLanes;
  /// Chains of sums for each output and row of activations, so that none waits for the one before.
  template <size_t kStreams>
  static constexpr size_t kChains = (kRows <= 2 ? 4 : 2) / kStreams;

 public:
  static void Run(const FloatArgs& args, size_t row, Outputs outputs) {
    WithStreamCount(outputs, [&]<size_t kStreams>() {
      for (size_t n = outputs.begin; n < outputs.end; ++n) {
        Multiply<kStreams>(args, row, n, outputs.apart);
      }
    });
  }

 private:
  /// Stores the outputs `output` + s * apart.
  template <size_t kStreams>
  [[gnu::always_inline]] static void Multiply(const FloatArgs& args, size_t row, size_t output,
                                              size_t apart) {
    Row w[kStreams];
#pragma GCC unroll 2
    for (size_t s = 0; s < kStreams; ++s) w[s] = Row(args.w, output + s * apart);
    float sums[kStreams][kRows];
    const bool blocks = args.w.block != 0;
    if (blocks) {
      Sum(
          args, row, w, sums, [](const Row& from, size_t column) { return from.Load(column); },
          [](const Row& from, size_t column, size_t count) {
            return from.LoadTail(column, count);
          });
    } else {
      // A scale of the whole row can wait for the sum.
      Sum(
          args, row, w, sums, [](const Row& from, size_t column) { return from.Codes(column); },
          [](const Row& from, size_t column, size_t count) {
            return from.CodesTail(column, count);
          });
    }
    for (size_t r = 0; r < kRows; ++r) {
      for (size_t s = 0; s < kStreams; ++s) {
        const size_t n = output + s * apart;
        float y = blocks ? sums[s][r] : sums[s][r] * w[s].scale();
        if (args.bias) y += args.bias[n];
        args.y[(row + r) * args.y_stride + n] = y;
      }
    }
  }

  template <size_t kStreams, typename Load, typename LoadTail>
  [[gnu::always_inline]] static void Sum(const FloatArgs& args, size_t row, const Row* w,
                                         float (&totals)[kStreams][kRows], const Load& load,
                                         const LoadTail& load_tail) {
    constexpr size_t kStep = kChains<kStreams> * kLanes;
    F sums[kStreams][kChains<kStreams>][kRows];
#pragma GCC unroll 2
    for (size_t s = 0; s < kStreams; ++s) {
#pragma GCC unroll 4
      for (size_t c = 0; c < kChains<kStreams>; ++c) {
#pragma GCC unroll 4
        for (size_t r = 0; r < kRows; ++r) sums[s][c][r] = V::ZeroF();
      }
    }
    const float* x = args.x + row * args.x_stride;
    const size_t stride = args.x_stride;
    const size_t columns = args.w.columns;
    size_t column = 0;
    for (; column + kStep <= columns; column += kStep) {
#pragma GCC unroll 4
      for (size_t c = 0; c < kChains<kStreams>; ++c) {
        const size_t part = column + c * kLanes;
#pragma GCC unroll 2
        for (size_t s = 0; s < kStreams; ++s) {
          const F loaded = load(w[s], part);
#pragma GCC unroll 4
          for (size_t r = 0; r < kRows; ++r) {
            sums[s][c][r] = V::MulAdd(V::LoadF(x + r * stride + part), loaded, sums[s][c][r]);
          }
        }
      }
    }
    for (; column < columns; column += kLanes) {
      const size_t left = columns - column < kLanes ? columns - column : kLanes;
#pragma GCC unroll 2
      for (size_t s = 0; s < kStreams; ++s) {
        const F loaded = load_tail(w[s], column, left);
#pragma GCC unroll 4
        for (size_t r = 0; r < kRows; ++r) {
          const F rest = V::LoadPartF(x + r * stride + column, left);
          sums[s][0][r] = V::MulAdd(rest, loaded, sums[s][0][r]);
        }
      }
    }
#pragma GCC unroll 2
    for (size_t s = 0; s < kStreams; ++s) {
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (size_t c = 1; c < kChains<kStreams>; ++c) {
          sums[s][0][r] = V::Add(sums[s][0][r], sums[s][c][r]);
        }
        totals[s][r] = V::ReduceAdd(sums[s][0][r]);
      }
    }
  }
};

/// The streaming kernel for 1 to 4 rows.
template <typename V, DType kType>
void StreamFloatRows(const FloatArgs& args, Range rows, Outputs outputs) {
  WithRowCount(rows.end - rows.begin, [&]<size_t kRows>() {
    FloatStream<V, kType, kRows>::Run(args, rows.begin, outputs);
  });
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_FLOAT_STREAM_H_
