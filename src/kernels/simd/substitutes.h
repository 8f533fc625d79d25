// What an instruction set may lack, made of what every set has.
#ifndef LITERTLM_KERNELS_SIMD_SUBSTITUTES_H_
#define LITERTLM_KERNELS_SIMD_SUBSTITUTES_H_

#include <cstddef>
#include <cstdint>

namespace litertlm {

/// The first `count` (at most V::kLanes) floats at `p`, then zeros; reads no others.
template <typename V>
typename V::F LoadFirstFloats(const float* p, size_t count) {
  if (count == V::kLanes) return V::LoadF(p);
  alignas(V::kBytes) float lanes[V::kLanes] = {};
  for (size_t i = 0; i < count; ++i) lanes[i] = p[i];
  return V::LoadF(lanes);
}

template <typename V>
void StoreFirstFloats(float* p, typename V::F v, size_t count) {
  if (count == V::kLanes) return V::StoreF(p, v);
  alignas(V::kBytes) float lanes[V::kLanes];
  V::StoreF(lanes, v);
  for (size_t i = 0; i < count; ++i) p[i] = lanes[i];
}

/// The lowest byte of the first `count` lanes.
template <typename V>
void StoreFirstBytes(void* p, typename V::I v, size_t count) {
  alignas(V::kBytes) int32_t lanes[V::kLanes];
  V::Store(lanes, v);
  for (size_t i = 0; i < count; ++i) static_cast<uint8_t*>(p)[i] = static_cast<uint8_t>(lanes[i]);
}

/// v * 2^n for |n| < 254 and v near 1, rounded once: in two steps, so that results below 2^-126
/// are reached.
template <typename V>
[[gnu::always_inline]] inline typename V::F TimesPowerOf2InSteps(typename V::F v, typename V::I n) {
  const typename V::I half = V::ShiftRight32(n, 1);
  const typename V::I bias = V::Set32(127);
  const typename V::F first = V::AsFloat(V::ShiftLeft32(V::Add32(half, bias), 23));
  const typename V::I rest = V::Add32(V::Sub32(n, half), bias);
  return V::Mul(V::Mul(v, first), V::AsFloat(V::ShiftLeft32(rest, 23)));
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_SUBSTITUTES_H_
