// Integer weights as signed bytes in registers.
//
// The headers of this folder are templates over a vector type V (x86/vec_*.h, arm/vec_*.h), which
// has internal linkage in the one file per instruction set that includes it. So has every
// instance, and no code compiled for one set can end up in another's.
#ifndef LITERTLM_KERNELS_SIMD_UNPACK_H_
#define LITERTLM_KERNELS_SIMD_UNPACK_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/nibble_products.h"

namespace litertlm {

/// The first `bytes` (at most V::kBytes) bytes at `p`, then zeros.
template <typename V>
typename V::I LoadPart(const void* p, size_t bytes) {
  if constexpr (requires { V::LoadPart8(p, bytes); }) {
    return V::LoadPart8(p, bytes);
  } else {
    alignas(V::kBytes) uint8_t part[V::kBytes] = {};
    __builtin_memcpy(part, p, bytes);
    return V::Load(part);
  }
}

/// kI8: V::kBytes weights as they lie in memory.
template <typename V>
struct Int8Weights {
  static constexpr int kUnit = 1;  ///< Weights carry this factor.
  static constexpr size_t Bytes(size_t columns) { return columns; }
  static const uint8_t* Row(const WeightMatrix& w, size_t row) {
    return static_cast<const uint8_t*>(w.data) + Bytes(row * w.columns);
  }
  static typename V::I Load(const uint8_t* row, size_t column) { return V::Load(row + column); }
  static typename V::I Dot(typename V::I sum, typename V::I codes, typename V::I weights) {
    return V::Dot(sum, codes, weights);
  }
  static typename V::I LoadTail(const uint8_t* row, size_t column, size_t count) {
    return LoadPart<V>(row + column, count);
  }
};

/// kI4. With V::kNibbleUnit == 16 they are moved to the upper half of a byte only, where their sign
/// is the byte's: they carry a factor of 16, which a sum of products loses exactly.
template <typename V>
struct Int4Weights {
  static constexpr int kUnit = V::kNibbleUnit;
  static constexpr size_t Bytes(size_t columns) { return columns / 2; }
  static const uint8_t* Row(const WeightMatrix& w, size_t row) {
    return static_cast<const uint8_t*>(w.data) + Bytes(row * w.columns);
  }
  static typename V::I Dot(typename V::I sum, typename V::I codes, typename V::I weights) {
    return NibbleProducts<V>::Dot(sum, codes, weights);
  }
  static typename V::I Load(const uint8_t* row, size_t column) {
    return V::NibblesInOrder(V::LoadHalf(row + column / 2));
  }
  static typename V::I LoadTail(const uint8_t* row, size_t column, size_t count) {
    alignas(V::kBytes) uint8_t nibbles[V::kBytes] = {};
    __builtin_memcpy(nibbles, row + column / 2, count / 2);
    return V::NibblesInOrder(V::LoadHalf(nibbles));
  }
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_UNPACK_H_
