// Products of 8-bit weights for instruction sets that have no product of bytes summed to 32 bits.
//
// Their product of bytes saturates its sums at 16 bits, which 255 * -128 exceeds. The product of
// 16-bit words does not, and leaves room: a code less its zero point fits in a word, so no sums of
// weights are needed. Weights stay bytes in memory and are widened as they are loaded.
#ifndef LITERTLM_KERNELS_SIMD_WORD_PRODUCTS_H_
#define LITERTLM_KERNELS_SIMD_WORD_PRODUCTS_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/ask_for_outputs.h"
#include "kernels/simd/packed_weights.h"
#include "kernels/simd/store_outputs.h"
#include "kernels/simd/stream.h"

namespace litertlm {

/// Words between the starts of centered rows. An odd number of cache lines: rows whose starts are
/// powers of two apart would compete for the same few places in the cache.
template <typename V>
size_t CenteredStride(size_t columns) {
  return (columns + 63) / 64 * 64 + 32;
}

/// Writes the codes of a row less their zero point, up to PaddedColumns.
template <typename V>
void CenterRow(const DynamicArgs& args, size_t row, int16_t* to) {
  const uint8_t* codes = args.codes + row * args.code_stride;
  const typename V::I zero_point = V::Set16(args.codings[row].zero_point);
  const size_t padded = PaddedColumns<V>(args.w.columns);
  for (size_t column = 0; column < padded; column += V::kBytes / 2) {
    V::Store(to + column, V::Sub16(V::WidenU8(codes + column), zero_point));
  }
}

/// Many rows; the plan is that of dynamic_panel.h, with two columns to a lane.
template <typename V>
class WordPanel {
  using I = typename V::I;
  using Packed = PackedWeights<V, Int8Weights<V>, 4>;
  static constexpr size_t kLanes = V::kLanes;
  static constexpr size_t kVectors = V::kVectors;
  static constexpr size_t kTileRows = V::kTileRows;

 public:
  static constexpr size_t kOutputs = Packed::kOutputs;

  static size_t MemoryBytes(const WeightMatrix& w) {
    return Packed::MemoryBytes(w) + kTileRows * CenteredStride<V>(w.columns) * sizeof(int16_t);
  }

  static void Run(const DynamicArgs& args, Range rows, Range outputs, PanelMemory memory) {
    WordPanel panel(args, memory.bytes);
    for (size_t n = outputs.begin; n < outputs.end; n += kOutputs) {
      panel.packed_.Take(n, outputs.end - n);
      if (!memory.packed) panel.Pack();
      size_t row = rows.begin;
      for (; row + kTileRows <= rows.end; row += kTileRows) panel.template Rows<kTileRows>(row);
      for (; row + 2 <= rows.end; row += 2) panel.template Rows<2>(row);
      for (; row < rows.end; ++row) panel.template Rows<1>(row);
    }
  }

 private:
  WordPanel(const DynamicArgs& args, std::byte* memory)
      : args_(args),
        packed_(args.w, memory),
        stride_(CenteredStride<V>(args.w.columns)),
        centered_(reinterpret_cast<int16_t*>(memory + Packed::MemoryBytes(args.w))) {}

  /// In each step the first two columns of all outputs, then the other two.
  void Pack() {
    for (size_t v = 0; v < packed_.vectors(); ++v) packed_.PackVector(args_.w, v);
    static_assert(kVectors == 2);
    int8_t* four_columns = packed_.Strip(0);
    for (size_t i = 0; i < packed_.strips() * packed_.steps(); ++i, four_columns += Packed::kStep) {
      I a = V::Load(four_columns);
      I b = V::Load(four_columns + V::kBytes);
      V::PairsApart(a, b);
      V::Store(four_columns, a);
      V::Store(four_columns + V::kBytes, b);
    }
  }

  template <size_t kRows>
  void Rows(size_t row) {
    for (size_t r = 0; r < kRows; ++r) CenterRow<V>(args_, row + r, centered_ + r * stride_);
    for (size_t strip = 0; strip < packed_.strips(); ++strip) Tile<kRows>(row, strip);
  }

  template <size_t kRows>
  void Tile(size_t row, size_t strip) {
    // All loops over sums are unrolled, so that each sum is a register.
    I sum[kRows][kVectors];
#pragma GCC unroll 8
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = V::Zero();
    }
    const size_t output = packed_.output() + strip * Packed::kStripOutputs;
    AskForOutputs<kRows, Packed::kStripOutputs>(args_.y + row * args_.y_stride + output,
                                                args_.y_stride);
    const int8_t* weights = packed_.Strip(strip);
    const size_t columns = packed_.columns();
    const int16_t* x = centered_;
    // Not unrolled: the compiler would add up products first and run out of registers.
    for (size_t column = 0; column < columns; column += 2, weights += Packed::kStep / 2, x += 2) {
      I w[kVectors];
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) w[v] = V::WidenI8Words(weights + v * V::kBytes / 2);
#pragma GCC unroll 8
      for (size_t r = 0; r < kRows; ++r) {
        const I two = V::Repeat32(x + r * stride_);
#pragma GCC unroll 8
        for (size_t v = 0; v < kVectors; ++v) {
          sum[r][v] = V::Add32(sum[r][v], V::MulPairs(two, w[v]));
        }
      }
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) {
        const size_t live = packed_.Live(strip * kVectors + v);
        if (live == 0) continue;
        StoreOutputs<V>(args_, row + r, output + v * kLanes, live, sum[r][v]);
      }
    }
  }

  const DynamicArgs& args_;
  Packed packed_;  ///< Steps of [kVectors * kLanes, 2] weights of two columns each.
  size_t stride_;
  int16_t* centered_;  ///< [kTileRows, stride_]
};

/// 1 to 4 rows; the plan is that of dynamic_stream.h. `centered` are the rows as CenterRow writes
/// them.
template <typename V, size_t kRows, bool kPast>
class WordStream {
  using I = typename V::I;
  static constexpr size_t kColumns = V::kBytes / 2;  ///< Of a vector.

 public:
  static void Run(const DynamicArgs& args, const int16_t* centered, size_t row, Range outputs) {
    const size_t columns = args.w.columns;
    StreamOutputs<V, Int8Weights<V>, kRows, kRows>(
        args, row, outputs, [columns, centered](const uint8_t* weights, I* sums) {
          Multiply(weights, centered, columns, sums);
        });
  }

 private:
  [[gnu::always_inline]] static void Multiply(const uint8_t* w, const int16_t* centered,
                                              size_t columns, I* sums) {
    I kept[kRows];
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) kept[r] = V::Zero();
    const size_t stride = CenteredStride<V>(columns);
    ForColumns<kPast, Int8Weights<V>, kColumns>(
        w, columns,
        [&](size_t column) __attribute__((always_inline)) {
          Accumulate(kept, V::WidenI8Words(w + column), centered + column, stride);
        },
        [&](size_t column) __attribute__((always_inline)) {
          alignas(V::kBytes) uint8_t last[kColumns] = {};
          __builtin_memcpy(last, w + column, columns - column);
          Accumulate(kept, V::WidenI8Words(last), centered + column, stride);
        });
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) sums[r] = kept[r];
  }

  [[gnu::always_inline]] static void Accumulate(I (&sums)[kRows], I w, const int16_t* centered,
                                                size_t stride) {
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      sums[r] = V::Add32(sums[r], V::MulPairs(V::Load(centered + r * stride), w));
    }
  }
};

/// The streaming kernel for 1 to 4 rows.
template <typename V>
void StreamWordRows(const DynamicArgs& args, const int16_t* centered, Range rows, Range outputs) {
  WithRowCount(rows.end - rows.begin, [&]<size_t kRows, bool kPast>() {
    WordStream<V, kRows, kPast>::Run(args, centered, rows.begin, outputs);
  });
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_WORD_PRODUCTS_H_
