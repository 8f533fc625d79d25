// Integer products of few rows, with weights that have a scale for each block of a row (kI4). The
// sum of a block is exact in int32, then scaled and added up in float.
#ifndef LITERTLM_KERNELS_SIMD_BLOCKWISE_STREAM_H_
#define LITERTLM_KERNELS_SIMD_BLOCKWISE_STREAM_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/block_scales.h"
#include "kernels/simd/in_register.h"
#include "kernels/simd/read_ahead.h"
#include "kernels/simd/stream.h"
#include "kernels/simd/unpack.h"

namespace litertlm {

/// Bytes between the starts of rows of codes that were put apart.
template <typename V>
size_t SplitStride(size_t columns) {
  return (columns + 2 * V::kBytes - 1) / (2 * V::kBytes) * (2 * V::kBytes);
}

/// Puts the even codes of a row and the odd ones apart, 2 * V::kBytes at a time.
template <typename V>
void SplitRow(const DynamicArgs& args, size_t row, uint8_t* to) {
  constexpr size_t kChunk = 2 * V::kBytes;
  const uint8_t* codes = args.codes + row * args.code_stride;
  const size_t columns = args.w.columns;
  size_t column = 0;
  for (; column + kChunk <= columns; column += kChunk, to += kChunk) {
    V::Deinterleave8(codes + column, to, to + V::kBytes);
  }
  if (column < columns) {
    alignas(V::kBytes) uint8_t last[kChunk] = {};
    __builtin_memcpy(last, codes + column, columns - column);
    V::Deinterleave8(last, to, to + V::kBytes);
  }
}

/// The weights stream past. A vector of them holds the columns of 2 * V::kBytes codes: its low
/// nibbles meet the even ones and its high nibbles the odd ones, as SplitRow puts them. A lane then
/// belongs to one block.
template <typename V, size_t kRows, bool kPast>
class BlockwiseStream {
  using Products = NibbleProducts<V>;
  using I = typename V::I;
  using F = typename V::F;
  static constexpr size_t kLanes = V::kLanes;
  static constexpr size_t kChunk = 2 * V::kBytes;  ///< Columns of a vector of weights.
  static constexpr int kLaneShift = 3;             ///< A lane has 2 to this power of them.
  static_assert(kLanes << kLaneShift == kChunk);
  /// Chunks that a vector of scales covers, even if blocks are as short as can be: 32 columns.
  static constexpr size_t kChunks = 4;

 public:
  /// Blocks that are a power of two long, and as many of them as a vector of scales has.
  static bool CanRun(const WeightMatrix& w) {
    return (w.block & (w.block - 1)) == 0 && w.rows * (w.columns / w.block) >= kLanes;
  }

  /// `codes` are those of kRows rows from `row` on, as SplitRow writes them.
  static void Run(const DynamicArgs& args, const uint8_t* codes, size_t row, Range outputs) {
    const BlockwiseStream stream(args, codes, row);
    I blocks[kChunks];
#pragma GCC unroll 4
    for (size_t i = 0; i < kChunks; ++i) blocks[i] = stream.BlocksOfChunk(i);
    for (size_t n = outputs.begin; n < outputs.end; ++n) stream.Multiply(n, blocks);
  }

 private:
  BlockwiseStream(const DynamicArgs& args, const uint8_t* codes, size_t row)
      : args_(args),
        row_(row),
        blocks_(args.w.columns / args.w.block),
        stride_(SplitStride<V>(args.w.columns)),
        codes_(codes) {
    while ((size_t{1} << (kLaneShift + shift_)) < args.w.block) ++shift_;
  }

  /// For each lane of a chunk its block, counted from the first of kChunks chunks.
  I BlocksOfChunk(size_t chunk) const {
    const I lane = V::Add32(V::Iota(), V::Set32(static_cast<int>(chunk * kLanes)));
    return V::ShiftRight32(lane, shift_);
  }

  /// Stores one output of the rows.
  [[gnu::always_inline]] void Multiply(size_t output, const I (&blocks)[kChunks]) const {
    const uint8_t* weights = Int4Weights<V>::Row(args_.w, output);
    F sums[kRows];
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) sums[r] = V::ZeroF();
    const size_t columns = args_.w.columns;
    size_t column = 0;
    for (; column + kChunks * kChunk <= columns; column += kChunks * kChunk) {
      const F scales = ScalesFrom(output, column);
      const uint8_t* chunks = weights + column / 2;
#pragma GCC unroll 4
      for (size_t i = 0; i < kChunks; ++i) {
        ReadAhead<kPast>(chunks, i * V::kBytes);
        Accumulate(InRegister(V::Load(chunks + i * V::kBytes)), V::Permute(scales, blocks[i]),
                   codes_ + column + i * kChunk, sums);
      }
    }
    if (column < columns) {
      const F scales = ScalesFrom(output, column);
      for (size_t i = 0; column < columns; ++i, column += kChunk) {
        const size_t left = columns - column;
        ReadAhead<kPast>(weights + column / 2);
        Accumulate(LoadPart<V>(weights + column / 2, (left < kChunk ? left : kChunk) / 2),
                   V::Permute(scales, BlocksOfChunk(i)), codes_ + column, sums);
      }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      float y = V::ReduceAdd(sums[r]) * args_.codings[row_ + r].scale;
      if (args_.bias) y += args_.bias[output];
      args_.y[(row_ + r) * args_.y_stride + output] = y;
    }
  }

  /// The scales of an output from the block of a column on; what follows its last one does not
  /// matter. At the end of the matrix they are the last ones of a vector.
  [[gnu::always_inline]] F ScalesFrom(size_t output, size_t column) const {
    const size_t first = output * blocks_ + (column >> (kLaneShift + shift_));
    const size_t all = args_.w.rows * blocks_;
    if (first + kLanes <= all) return BlockScales<V>(args_.w.block_scales + first);
    const int missing = static_cast<int>(first + kLanes - all);
    return V::Permute(BlockScales<V>(args_.w.block_scales + all - kLanes),
                      V::Add32(V::Iota(), V::Set32(missing)));
  }

  [[gnu::always_inline]] void Accumulate(I loaded, F scale, const uint8_t* codes,
                                         F (&sums)[kRows]) const {
    const I low = V::NibblesLow(loaded);
    const I high = V::NibblesHigh(loaded);
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      const uint8_t* u = codes + r * stride_;
      const I dot = Products::Centered(V::Load(u), V::Load(u + V::kBytes), low, high,
                                       V::Set8(args_.codings[row_ + r].zero_point));
      sums[r] = V::MulAdd(V::ToFloat(dot), scale, sums[r]);
    }
  }

  const DynamicArgs args_;  ///< A copy, as in StreamOutputs.
  size_t row_;
  size_t blocks_;  ///< Of a row.
  size_t stride_;
  const uint8_t* codes_;  ///< [kRows, stride_]
  int shift_ = 0;         ///< Lanes of a block, as a power of two.
};

/// The streaming kernel for 1 to 4 rows.
template <typename V>
void StreamBlockwiseRows(const DynamicArgs& args, const uint8_t* codes, Range rows, Range outputs) {
  WithRowCount(rows.end - rows.begin, [&]<size_t kRows, bool kPast>() {
    BlockwiseStream<V, kRows, kPast>::Run(args, codes, rows.begin, outputs);
  });
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_BLOCKWISE_STREAM_H_
