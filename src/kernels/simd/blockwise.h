// Integer products whose weights have a scale for each block of a row (kI4).
//
// The sum of a block is exact in int32, then scaled and added up in float.
#ifndef LITERTLM_KERNELS_SIMD_BLOCKWISE_H_
#define LITERTLM_KERNELS_SIMD_BLOCKWISE_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/pack.h"
#include "kernels/simd/stream.h"

namespace litertlm {

/// V::kLanes f16 scales, rounded to bf16 as XNNPACK keeps them, less the factor of the weights.
template <typename V>
typename V::F BlockScales(const void* p) {
  const typename V::I bits = V::AsInt(V::WidenF16(p));
  const typename V::I odd = V::And(V::ShiftRight32(bits, 16), V::Set32(1));
  const typename V::I rounded = V::Add32(V::Add32(bits, V::Set32(0x7fff)), odd);
  const typename V::F scale = V::AsFloat(V::And(rounded, V::Set32(-0x10000)));
  return V::Mul(scale, V::SetF(1.0f / Int4Weights<V>::kUnit));
}

/// Many rows; the plan is that of dynamic_panel.h. Beside the weights of a strip the panel holds,
/// for each block and output, what its integer sum starts from and its scale.
template <typename V>
class BlockwisePanel {
  using Products = NibbleProducts<V>;
  using I = typename V::I;
  using F = typename V::F;
  static constexpr size_t kLanes = V::kLanes;
  static constexpr size_t kVectors = V::kVectors;
  static constexpr size_t kTileRows = V::kBlockRows;
  static constexpr size_t kStep = kVectors * V::kBytes;

 public:
  static constexpr size_t kOutputs = kLanes * kVectors;

  static size_t ScratchBytes(const WeightMatrix& w) {
    const size_t blocks = w.columns / w.block;
    return kOutputs * (PaddedColumns<V>(w.columns) + 8 * blocks + 4);
  }

  static void Run(const DynamicArgs& args, Range rows, Range outputs, std::byte* scratch) {
    BlockwisePanel panel(args, scratch);
    for (size_t n = outputs.begin; n < outputs.end; n += kOutputs) {
      const size_t left = outputs.end - n;
      panel.Pack(n, left < kOutputs ? left : kOutputs);
      size_t row = rows.begin;
      for (; row + kTileRows <= rows.end; row += kTileRows) panel.template Tile<kTileRows>(row);
      for (; row < rows.end; ++row) panel.template Tile<1>(row);
    }
  }

 private:
  BlockwisePanel(const DynamicArgs& args, std::byte* scratch)
      : args_(args), blocks_(args.w.columns / args.w.block), steps_(args.w.block / 4) {
    weights_ = reinterpret_cast<int8_t*>(scratch);
    starts_ = reinterpret_cast<int32_t*>(scratch + kOutputs * PaddedColumns<V>(args.w.columns));
    scales_ = reinterpret_cast<float*>(starts_ + kOutputs * blocks_);
    sums_ = scales_ + kOutputs * blocks_;
  }

  void Pack(size_t output, size_t count) {
    output_ = output;
    count_ = count;
    for (size_t v = 0; v < kVectors; ++v) {
      const size_t first = v * kLanes;
      const size_t live = first >= count ? 0 : count - first < kLanes ? count - first : kLanes;
      PackRows<V, Int4Weights<V>>(args_.w, output + first, live, weights_ + v * V::kBytes, kStep);
      PackScales(v, live);
    }
  }

  void PackScales(size_t v, size_t live) {
    F weighted = V::ZeroF();
    for (size_t block = 0; block < blocks_; ++block) {
      alignas(V::kBytes) uint16_t scales[V::kBytes / 2] = {};
      for (size_t i = 0; i < live; ++i) {
        scales[i] = args_.w.block_scales[(output_ + v * kLanes + i) * blocks_ + block];
      }
      const F scale = BlockScales<V>(scales);
      const int8_t* weights = weights_ + block * steps_ * kStep + v * V::kBytes;
      const I sum = SumPacked<V>(weights, steps_, kStep);
      // Codes are greater than XNNPACK's signed ones by 128; starting here makes up for it.
      V::Store(starts_ + block * kOutputs + v * kLanes,
               V::Mul32(sum, V::Set32(V::kCodeOffset - 128)));
      V::StoreF(scales_ + block * kOutputs + v * kLanes, scale);
      weighted = V::MulAdd(V::ToFloat(sum), scale, weighted);
    }
    V::StoreF(sums_ + v * kLanes, weighted);
  }

  template <size_t kRows>
  void Tile(size_t row) {
    // All loops over sums are unrolled, so that each sum is a register.
    F y[kRows][kVectors];
#pragma GCC unroll 8
    for (size_t r = 0; r < kRows; ++r) {
      const F zero_point = V::SetF(static_cast<float>(128 - args_.codings[row + r].zero_point));
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) {
        y[r][v] = V::Mul(zero_point, V::LoadF(sums_ + v * kLanes));
      }
    }
    const uint8_t* codes = args_.codes + row * args_.code_stride;
    const int8_t* weights = weights_;
    for (size_t block = 0; block < blocks_; ++block) {
      I sum[kRows][kVectors];
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) {
        const I start = V::Load(starts_ + block * kOutputs + v * kLanes);
#pragma GCC unroll 8
        for (size_t r = 0; r < kRows; ++r) sum[r][v] = start;
      }
      for (size_t s = 0; s < steps_; s += Products::kSteps) {
        AddSteps<kRows>(weights + s * kStep, codes + s * 4, sum);
      }
      weights += steps_ * kStep;
      codes += steps_ * 4;
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) {
        const F scale = V::LoadF(scales_ + block * kOutputs + v * kLanes);
#pragma GCC unroll 8
        for (size_t r = 0; r < kRows; ++r) {
          y[r][v] = V::MulAdd(V::ToFloat(sum[r][v]), scale, y[r][v]);
        }
      }
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) Finish(row + r, v, y[r][v]);
    }
  }

  template <size_t kRows>
  [[gnu::always_inline]] void AddSteps(const int8_t* weights, const uint8_t* codes,
                                       I (&sum)[kRows][kVectors]) {
    I products[kRows][kVectors];
#pragma GCC unroll 8
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) products[r][v] = Products::Start(sum[r][v]);
    }
    for (size_t s = 0; s < Products::kSteps; ++s, weights += kStep, codes += 4) {
      I w[kVectors];
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) w[v] = V::Load(weights + v * V::kBytes);
#pragma GCC unroll 8
      for (size_t r = 0; r < kRows; ++r) {
        const I four = V::Repeat32(codes + r * args_.code_stride);
#pragma GCC unroll 8
        for (size_t v = 0; v < kVectors; ++v) {
          products[r][v] = Products::Add(products[r][v], four, w[v]);
        }
      }
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = Products::Total(products[r][v], sum[r][v]);
    }
  }

  void Finish(size_t row, size_t v, F y) {
    if (v * kLanes >= count_) return;
    const size_t live = count_ - v * kLanes < kLanes ? count_ - v * kLanes : kLanes;
    const size_t output = output_ + v * kLanes;
    y = V::Mul(y, V::SetF(args_.codings[row].scale));
    if (args_.bias) y = V::Add(y, V::LoadPartF(args_.bias + output, live));
    V::StorePartF(args_.y + row * args_.y_stride + output, y, live);
  }

  const DynamicArgs& args_;
  size_t blocks_;
  size_t steps_;  ///< Of one block.
  int8_t* weights_;
  int32_t* starts_;  ///< [blocks, kOutputs]
  float* scales_;    ///< [blocks, kOutputs]
  float* sums_;      ///< Of each output's scaled weights.
  size_t output_ = 0;
  size_t count_ = 0;
};

/// Few rows: the weights stream past. A vector of them holds the columns of 2 * V::kBytes codes:
/// its low nibbles meet the even ones and its high nibbles the odd ones, which were put apart in
/// scratch memory. A lane then belongs to one block.
template <typename V, size_t kRows>
class BlockwiseStream {
  using Products = NibbleProducts<V>;
  using I = typename V::I;
  using F = typename V::F;
  static constexpr size_t kLanes = V::kLanes;
  static constexpr size_t kChunk = 2 * V::kBytes;  ///< Columns of a vector of weights.
  static constexpr size_t kLaneColumns = kChunk / kLanes;

 public:
  /// Blocks that are a power of two long, and as many of them as a vector of scales has.
  static bool CanRun(const WeightMatrix& w) {
    return (w.block & (w.block - 1)) == 0 && w.rows * (w.columns / w.block) >= kLanes;
  }

  static void Run(const DynamicArgs& args, size_t row, Outputs outputs, std::byte* scratch) {
    const BlockwiseStream stream(args, row, scratch);
    for (size_t n = outputs.begin; n < outputs.end; ++n) {
      if (outputs.apart != 0) {
        stream.template Multiply<2>(n, outputs.apart);
      } else {
        stream.template Multiply<1>(n, 0);
      }
    }
  }

 private:
  BlockwiseStream(const DynamicArgs& args, size_t row, std::byte* scratch)
      : args_(args),
        row_(row),
        blocks_(args.w.columns / args.w.block),
        padded_((args.w.columns + kChunk - 1) / kChunk * kChunk),
        codes_(reinterpret_cast<const uint8_t*>(scratch)) {
    for (size_t r = 0; r < kRows; ++r) {
      SplitRow(args, row + r, reinterpret_cast<uint8_t*>(scratch) + r * padded_);
    }
    while ((kLaneColumns << shift_) < args.w.block) ++shift_;
  }

  static void SplitRow(const DynamicArgs& args, size_t row, uint8_t* to) {
    const uint8_t* codes = args.codes + row * args.code_stride;
    const size_t columns = args.w.columns;
    for (size_t column = 0; column < columns; column += kChunk, to += kChunk) {
      alignas(V::kBytes) uint8_t part[kChunk] = {};
      const size_t left = columns - column;
      __builtin_memcpy(part, codes + column, left < kChunk ? left : kChunk);
      V::Deinterleave8(part, to, to + V::kBytes);
    }
  }

  /// Stores the outputs `output` + s * apart of the rows.
  template <size_t kStreams>
  [[gnu::always_inline]] void Multiply(size_t output, size_t apart) const {
    F sums[kStreams][kRows];
    const uint8_t* weights[kStreams];
#pragma GCC unroll 2
    for (size_t s = 0; s < kStreams; ++s) {
      weights[s] = Int4Weights<V>::Row(args_.w, output + s * apart);
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) sums[s][r] = V::ZeroF();
    }
    const size_t columns = args_.w.columns;
    const size_t group = args_.w.block * kLanes;  // Columns that a vector of scales covers.
    for (size_t begin = 0, block = 0; begin < columns; begin += group, block += kLanes) {
      F scales[kStreams];
#pragma GCC unroll 2
      for (size_t s = 0; s < kStreams; ++s) scales[s] = ScalesFrom(output + s * apart, block);
      const size_t end = columns - begin < group ? columns : begin + group;
      I lane = V::Iota();
      size_t column = begin;
      for (; column + kChunk <= end; column += kChunk) {
        const I block_of_lane = V::ShiftRight32(lane, shift_);
        lane = V::Add32(lane, V::Set32(kLanes));
#pragma GCC unroll 2
        for (size_t s = 0; s < kStreams; ++s) {
          Accumulate(V::Load(weights[s] + column / 2), V::Permute(scales[s], block_of_lane),
                     codes_ + column, sums[s]);
        }
      }
      if (column == end) continue;
      const I block_of_lane = V::ShiftRight32(lane, shift_);
#pragma GCC unroll 2
      for (size_t s = 0; s < kStreams; ++s) {
        Accumulate(LoadPart<V>(weights[s] + column / 2, (end - column) / 2),
                   V::Permute(scales[s], block_of_lane), codes_ + column, sums[s]);
      }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (size_t s = 0; s < kStreams; ++s) {
        const size_t n = output + s * apart;
        float y = V::ReduceAdd(sums[s][r]) * args_.codings[row_ + r].scale;
        if (args_.bias) y += args_.bias[n];
        args_.y[(row_ + r) * args_.y_stride + n] = y;
      }
    }
  }

  /// The scales of an output from a block on; what follows its last one does not matter. At the
  /// end of the matrix they are the last ones of a vector.
  [[gnu::always_inline]] F ScalesFrom(size_t output, size_t block) const {
    const size_t first = output * blocks_ + block;
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
      const uint8_t* u = codes + r * padded_;
      const I dot = Products::Centered(V::Load(u), V::Load(u + V::kBytes), low, high,
                                       V::Set8(args_.codings[row_ + r].zero_point));
      sums[r] = V::MulAdd(V::ToFloat(dot), scale, sums[r]);
    }
  }

  const DynamicArgs& args_;
  size_t row_;
  size_t blocks_;         ///< Of a row.
  size_t padded_;         ///< Columns of a row of codes_.
  const uint8_t* codes_;  ///< [kRows, padded_]
  int shift_ = 0;         ///< Lanes of a block, as a power of two.
};

/// The streaming kernel for 1 to 4 rows.
template <typename V>
void StreamBlockwiseRows(const DynamicArgs& args, Range rows, Outputs outputs, std::byte* scratch) {
  WithRowCount(rows.end - rows.begin, [&]<size_t kRows>() {
    BlockwiseStream<V, kRows>::Run(args, rows.begin, outputs, scratch);
  });
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_BLOCKWISE_H_
