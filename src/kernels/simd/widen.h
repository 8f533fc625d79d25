// Weights of any type as floats in registers, scale included.
#ifndef LITERTLM_KERNELS_SIMD_WIDEN_H_
#define LITERTLM_KERNELS_SIMD_WIDEN_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/stream.h"

namespace litertlm {

/// V::kLanes weights of row `row` from a column on that is a multiple of V::kLanes.
template <typename V, DType kType>
class WidenedRow {
  using F = typename V::F;
  static constexpr bool kInteger = kType == DType::kI8 || kType == DType::kI4;
  static constexpr size_t kBits = kType == DType::kF32  ? 32
                                  : kType == DType::kI8 ? 8
                                  : kType == DType::kI4 ? 4
                                                        : 16;

 public:
  static constexpr size_t kVectorBytes = V::kLanes * kBits / 8;  ///< Of V::kLanes weights.

  WidenedRow() = default;
  WidenedRow(const WeightMatrix& w, size_t row)
      : data_(static_cast<const uint8_t*>(w.data) + row * w.columns * kBits / 8) {
    if constexpr (kInteger) {
      block_ = w.block;
      if (block_ == 0) {
        scale_ = w.scales[w.scale_count == 1 ? 0 : row];
      } else {
        block_scales_ = w.block_scales + row * (w.columns / block_);
      }
    }
  }

  /// Where a column lies that begins a byte.
  const uint8_t* Data(size_t column) const { return data_ + column * kBits / 8; }
  F Load(size_t column) const { return Scaled(Codes(column), column); }
  /// As Load, but without the scale.
  F Codes(size_t column) const { return Widen(Data(column)); }
  /// Of the whole row; 1 for floats. Not for rows in blocks.
  float scale() const { return scale_; }

  /// The first `count` of them, then zeros.
  F LoadTail(size_t column, size_t count) const { return Scaled(CodesTail(column, count), column); }
  F CodesTail(size_t column, size_t count) const {
    alignas(V::kBytes) uint8_t part[V::kBytes] = {};
    __builtin_memcpy(part, Data(column), count * kBits / 8);
    return Widen(part);
  }

 private:
  static F Widen(const uint8_t* p) {
    if constexpr (kType == DType::kF32) return V::LoadF(reinterpret_cast<const float*>(p));
    if constexpr (kType == DType::kF16) return V::WidenF16(p);
    if constexpr (kType == DType::kBF16) return V::WidenBF16(p);
    if constexpr (kType == DType::kI8) return V::WidenI8(p);
    if constexpr (kType == DType::kI4) return V::WidenI4(p);
  }

  F Scaled(F v, size_t column) const {
    if constexpr (!kInteger) return v;
    return V::Mul(v, V::SetF(block_ == 0 ? scale_ : ScaleOfBlock(column / block_)));
  }

  float ScaleOfBlock(size_t block) const {
    alignas(V::kBytes) uint16_t scale[V::kBytes / 2] = {block_scales_[block]};
    return V::First(V::WidenF16(scale));
  }

  const uint8_t* data_ = nullptr;
  float scale_ = 1;
  size_t block_ = 0;
  const uint16_t* block_scales_ = nullptr;
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_WIDEN_H_
