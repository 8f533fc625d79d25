// Integer products of many rows: a panel of weights is rearranged once in memory of its own, then
// all rows of activations go over it.
//
// Step s of a strip of outputs holds, for each output in turn, the four weights of columns
// 4 s … 4 s + 3: one vector per V::kLanes outputs. An instruction then multiplies four codes of one
// row, repeated in every lane, with the four weights of each output. The weights of a tile stay in
// the first-level cache over all rows; the sums of a tile stay in registers.
#ifndef LITERTLM_KERNELS_SIMD_DYNAMIC_PANEL_H_
#define LITERTLM_KERNELS_SIMD_DYNAMIC_PANEL_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/ask_for_outputs.h"
#include "kernels/simd/next_panel.h"
#include "kernels/simd/packed_weights.h"
#include "kernels/simd/store_outputs.h"

namespace litertlm {

template <typename V, typename Weights>
class DynamicPanel {
  using I = typename V::I;
  using Packed = PackedWeights<V, Weights, 4>;
  static constexpr size_t kLanes = V::kLanes;
  static constexpr size_t kVectors = V::kVectors;
  static constexpr size_t kTileRows = V::kTileRows;
  static constexpr size_t kPortionSteps = 16;  ///< After which more of the next panel is asked for.

 public:
  static constexpr size_t kOutputs = Packed::kOutputs;

  static size_t MemoryBytes(const WeightMatrix& w) {
    return Packed::MemoryBytes(w) + kOutputs * sizeof(int32_t);
  }

  static void Run(const DynamicArgs& args, Range rows, Range outputs, PanelMemory memory) {
    DynamicPanel panel(args, memory.bytes);
    for (size_t n = outputs.begin; n < outputs.end; n += kOutputs) {
      panel.packed_.Take(n, outputs.end - n);
      if (!memory.packed) panel.Pack();
      const size_t tiles = ((rows.end - rows.begin) / kTileRows + 1) * panel.packed_.strips();
      const size_t portions = tiles * (panel.packed_.steps() / kPortionSteps + 1);
      panel.next_ = {args.w,      {n + kOutputs, n + 2 * kOutputs}, rows, args.rows, portions,
                     memory.lines};
      size_t row = rows.begin;
      for (; row + kTileRows <= rows.end; row += kTileRows) panel.template Rows<kTileRows>(row);
      for (; row + 4 <= rows.end; row += 4) panel.template Rows<4>(row);
      for (; row + 2 <= rows.end; row += 2) panel.template Rows<2>(row);
      for (; row < rows.end; ++row) panel.template Rows<1>(row);
    }
  }

 private:
  DynamicPanel(const DynamicArgs& args, std::byte* memory)
      : args_(args),
        packed_(args.w, memory),
        sums_(reinterpret_cast<int32_t*>(memory + Packed::MemoryBytes(args.w))) {}

  void Pack() {
    for (size_t v = 0; v < packed_.vectors(); ++v) {
      packed_.PackVector(args_.w, v);
      V::Store(sums_ + v * kLanes, SumPacked<V>(packed_.Vector(v), packed_.steps(), Packed::kStep));
    }
  }

  template <size_t kRows>
  void Rows(size_t row) {
    for (size_t strip = 0; strip < packed_.strips(); ++strip) Tile<kRows>(row, strip);
  }

  template <size_t kRows>
  void Tile(size_t row, size_t strip) {
    // All loops over sums are unrolled, so that each sum is a register.
    I sum[kRows][kVectors];
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = V::Zero();
    }
    const size_t output = packed_.output() + strip * Packed::kStripOutputs;
    AskForOutputs<kRows, Packed::kStripOutputs>(args_.y + row * args_.y_stride + output,
                                                args_.y_stride);
    const uint8_t* codes = args_.codes + row * args_.code_stride;
    const size_t stride = args_.code_stride;
    const int8_t* weights = packed_.Strip(strip);
    const size_t steps = packed_.steps();
    for (size_t s = 0; s < steps;) {
      next_.AskForPortion();
      const size_t end = steps - s < kPortionSteps ? steps : s + kPortionSteps;
      for (; s < end; ++s, weights += Packed::kStep, codes += 4) {
        I w[kVectors];
#pragma GCC unroll 8
        for (size_t v = 0; v < kVectors; ++v) w[v] = V::Load(weights + v * V::kBytes);
#pragma GCC unroll 16
        for (size_t r = 0; r < kRows; ++r) {
          const I four = V::Repeat32(codes + r * stride);
#pragma GCC unroll 8
          for (size_t v = 0; v < kVectors; ++v) sum[r][v] = Weights::Dot(sum[r][v], four, w[v]);
        }
      }
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) Finish(row + r, strip * kVectors + v, sum[r][v]);
    }
  }

  void Finish(size_t row, size_t v, I sum) {
    if (packed_.Live(v) == 0) return;
    const I zero_point = V::Set32(args_.codings[row].zero_point - V::kCodeOffset);
    I dot = V::Sub32(sum, V::Mul32(zero_point, V::Load(sums_ + v * kLanes)));
    if constexpr (Weights::kUnit == 16) dot = V::ShiftRight32(dot, 4);
    StoreOutputs<V>(args_, row, packed_.output() + v * kLanes, packed_.Live(v), dot);
  }

  const DynamicArgs& args_;
  Packed packed_;
  int32_t* sums_;  ///< Of each output's weights.
  NextPanel<Weights> next_;
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_DYNAMIC_PANEL_H_
