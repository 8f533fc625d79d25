// Scales that weights have for each block of a row (kI4).
#ifndef LITERTLM_KERNELS_SIMD_BLOCK_SCALES_H_
#define LITERTLM_KERNELS_SIMD_BLOCK_SCALES_H_

#include "kernels/simd/unpack.h"

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

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_BLOCK_SCALES_H_
