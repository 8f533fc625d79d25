// Integer products of many rows, with weights that have a scale for each block of a row (kI4). The
// sum of a block is exact in int32, then scaled and added up in float.
#ifndef LITERTLM_KERNELS_SIMD_BLOCKWISE_PANEL_H_
#define LITERTLM_KERNELS_SIMD_BLOCKWISE_PANEL_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/ask_for_outputs.h"
#include "kernels/simd/block_scales.h"
#include "kernels/simd/next_panel.h"
#include "kernels/simd/packed_weights.h"

namespace litertlm {

/// The plan is that of dynamic_panel.h. Beside the weights of a strip the panel holds,
/// for each block and output, what its integer sum starts from and its scale.
template <typename V>
class BlockwisePanel {
  using Products = NibbleProducts<V>;
  using Packed = PackedWeights<V, Int4Weights<V>, 1>;
  using I = typename V::I;
  using F = typename V::F;
  static constexpr size_t kLanes = V::kLanes;
  static constexpr size_t kVectors = V::kVectors;
  static constexpr size_t kTileRows = V::kBlockRows;
  static constexpr size_t kStep = Packed::kStep;

 public:
  static constexpr size_t kOutputs = Packed::kOutputs;

  static size_t MemoryBytes(const WeightMatrix& w) {
    const size_t blocks = w.columns / w.block;
    return Packed::MemoryBytes(w) + kOutputs * (8 * blocks + 4);
  }

  static void Run(const DynamicArgs& args, Range rows, Range outputs, PanelMemory memory) {
    BlockwisePanel panel(args, memory.bytes);
    for (size_t n = outputs.begin; n < outputs.end; n += kOutputs) {
      panel.packed_.Take(n, outputs.end - n);
      if (!memory.packed) panel.Pack();
      const size_t tiles = (rows.end - rows.begin) / kTileRows + 1;
      const Range next{n + kOutputs, n + 2 * kOutputs};
      panel.next_ = {args.w, next, rows, args.rows, tiles * panel.blocks_, memory.lines};
      size_t row = rows.begin;
      for (; row + kTileRows <= rows.end; row += kTileRows) panel.template Tile<kTileRows>(row);
      for (; row + 2 <= rows.end; row += 2) panel.template Tile<2>(row);
      for (; row < rows.end; ++row) panel.template Tile<1>(row);
    }
  }

 private:
  BlockwisePanel(const DynamicArgs& args, std::byte* memory)
      : args_(args),
        packed_(args.w, memory),
        blocks_(args.w.columns / args.w.block),
        steps_(args.w.block / 4) {
    starts_ = reinterpret_cast<int32_t*>(memory + Packed::MemoryBytes(args.w));
    scales_ = reinterpret_cast<float*>(starts_ + kOutputs * blocks_);
    sums_ = scales_ + kOutputs * blocks_;
  }

  void Pack() {
    for (size_t v = 0; v < packed_.vectors(); ++v) {
      packed_.PackVector(args_.w, v);
      PackScales(v);
    }
  }

  void PackScales(size_t v) {
    F weighted = V::ZeroF();
    for (size_t block = 0; block < blocks_; ++block) {
      alignas(V::kBytes) uint16_t scales[V::kBytes / 2] = {};
      for (size_t i = 0; i < packed_.Live(v); ++i) {
        scales[i] = args_.w.block_scales[(packed_.output() + v * kLanes + i) * blocks_ + block];
      }
      const F scale = BlockScales<V>(scales);
      const int8_t* weights = packed_.Vector(v) + block * steps_ * kStep;
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
    AskForOutputs<kRows, kOutputs>(args_.y + row * args_.y_stride + packed_.output(),
                                   args_.y_stride);
    const uint8_t* codes = args_.codes + row * args_.code_stride;
    const int8_t* weights = packed_.Strip(0);
    for (size_t block = 0; block < blocks_; ++block) {
      next_.AskForPortion();
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
#pragma GCC unroll 8
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
    const size_t live = packed_.Live(v);
    if (live == 0) return;
    const size_t output = packed_.output() + v * kLanes;
    y = V::Mul(y, V::SetF(args_.codings[row].scale));
    if (args_.bias) y = V::Add(y, V::LoadPartF(args_.bias + output, live));
    V::StorePartF(args_.y + row * args_.y_stride + output, y, live);
  }

  const DynamicArgs& args_;
  Packed packed_;
  size_t blocks_;
  size_t steps_;     ///< Of one block.
  int32_t* starts_;  ///< [blocks, kOutputs]
  float* scales_;    ///< [blocks, kOutputs]
  float* sums_;      ///< Of each output's scaled weights.
  NextPanel<Int4Weights<V>> next_;
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_BLOCKWISE_PANEL_H_
