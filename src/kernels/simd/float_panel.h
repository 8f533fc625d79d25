// Float products of many rows; the plan is that of dynamic_panel.h, with weights widened to float
// in the panel and the columns cut into parts, so that a panel fits into the second-level cache.
#ifndef LITERTLM_KERNELS_SIMD_FLOAT_PANEL_H_
#define LITERTLM_KERNELS_SIMD_FLOAT_PANEL_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/float_tile.h"
#include "kernels/simd/pack.h"
#include "kernels/simd/widen.h"

namespace litertlm {

template <typename V, DType kType>
class FloatPanel {
  using F = typename V::F;
  static constexpr size_t kLanes = V::kLanes;
  static constexpr size_t kVectors = V::kVectors;
  static constexpr size_t kTileRows = V::kTileRows;
  static constexpr size_t kColumns = 512;  ///< Of one part.

 public:
  static constexpr size_t kOutputs = kLanes * kVectors;
  static constexpr size_t kMemoryBytes = kOutputs * kColumns * sizeof(float);

  static void Run(const FloatArgs& args, Range rows, Range outputs, std::byte* memory) {
    FloatPanel panel(args, memory);
    for (size_t n = outputs.begin; n < outputs.end; n += kOutputs) {
      const size_t left = outputs.end - n;
      panel.output_ = n;
      panel.count_ = left < kOutputs ? left : kOutputs;
      size_t column = 0;
      do {
        panel.Pack(column);
        size_t row = rows.begin;
        for (; row + kTileRows <= rows.end; row += kTileRows) panel.template Tile<kTileRows>(row);
        for (; row + 4 <= rows.end; row += 4) panel.template Tile<4>(row);
        for (; row < rows.end; ++row) panel.template Tile<1>(row);
        column += kColumns;
      } while (column < args.w.columns);
    }
  }

 private:
  FloatPanel(const FloatArgs& args, std::byte* memory)
      : args_(args), weights_(reinterpret_cast<float*>(memory)) {}

  void Pack(size_t column) {
    const size_t left = args_.w.columns - column;
    column_ = column;
    columns_ = left < kColumns ? left : kColumns;
    for (size_t v = 0; v < kVectors; ++v) {
      const size_t first = v * kLanes;
      const size_t live = first >= count_ ? 0 : count_ - first < kLanes ? count_ - first : kLanes;
      PackVector(v, live);
    }
  }

  void PackVector(size_t v, size_t live) {
    WidenedRow<V, kType> rows[kLanes];
    for (size_t i = 0; i < live; ++i) {
      rows[i] = WidenedRow<V, kType>(args_.w, output_ + v * kLanes + i);
    }
    for (size_t column = 0; column < columns_; column += kLanes) {
      const size_t left = columns_ - column;
      const auto load = [&](size_t i) {
        return i >= live        ? V::Zero()
               : left >= kLanes ? V::AsInt(rows[i].Load(column_ + column))
                                : V::AsInt(rows[i].LoadTail(column_ + column, left));
      };
      PackBlock<V>(load, weights_ + (column * kVectors + v) * kLanes, kOutputs * sizeof(float));
    }
  }

  template <size_t kRows>
  void Tile(size_t row) {
    // All loops over sums are unrolled, so that each sum is a register.
    F sum[kRows][kVectors];
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = V::ZeroF();
    }
    AccumulateTile<V>(args_.x + row * args_.x_stride + column_, args_.x_stride, 1, weights_,
                      kOutputs, columns_, sum);
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) Finish(row + r, v, sum[r][v]);
    }
  }

  void Finish(size_t row, size_t v, F sum) {
    if (v * kLanes >= count_) return;
    const size_t live = count_ - v * kLanes < kLanes ? count_ - v * kLanes : kLanes;
    const size_t output = output_ + v * kLanes;
    float* y = args_.y + row * args_.y_stride + output;
    if (column_ > 0) {
      sum = V::Add(sum, V::LoadPartF(y, live));
    } else if (args_.bias) {
      sum = V::Add(sum, V::LoadPartF(args_.bias + output, live));
    }
    V::StorePartF(y, sum, live);
  }

  const FloatArgs& args_;
  float* weights_;
  size_t output_ = 0;
  size_t count_ = 0;
  size_t column_ = 0;
  size_t columns_ = 0;
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_FLOAT_PANEL_H_
