// NEON of 64-bit Arm with the dot product of bytes, as the templates of kernels/simd/ want it. Only
// for the file compiled for that set: everything here has internal linkage.
#ifndef LITERTLM_KERNELS_ARM_VEC_NEON_H_
#define LITERTLM_KERNELS_ARM_VEC_NEON_H_

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "kernels/simd/substitutes.h"

namespace litertlm {
namespace {

struct Neon {
  static constexpr size_t kLanes = 4;
  static constexpr size_t kBytes = 16;
  static constexpr size_t kVectors = 4;
  static constexpr size_t kTileRows = 6;   ///< 24 sums, 4 weights and a code of 32 registers.
  static constexpr size_t kBlockRows = 3;  ///< 12 integer and 12 float sums.
  static constexpr bool kHasDot = true;
  static constexpr int kNibbleUnit = 16;
  /// What Dot takes off its unsigned bytes: there is no product of unsigned and signed ones.
  static constexpr int kCodeOffset = 128;
  using I = int32x4_t;  ///< 4 int32 or 16 bytes.
  using F = float32x4_t;
  using Half = uint8x8_t;

  static I Zero() { return vdupq_n_s32(0); }
  static I Load(const void* p) { return FromU8(vld1q_u8(static_cast<const uint8_t*>(p))); }
  static void Store(void* p, I v) { vst1q_u8(static_cast<uint8_t*>(p), AsU8(v)); }
  static I Set8(int value) { return FromU8(vdupq_n_u8(static_cast<uint8_t>(value))); }
  static I Set32(int32_t value) { return vdupq_n_s32(value); }
  /// The four bytes at `p` in every lane.
  static I Repeat32(const void* p) {
    int32_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return vdupq_n_s32(value);
  }
  /// 0, 1, 2, …
  static I Iota() { return I{0, 1, 2, 3}; }
  static I Add32(I a, I b) { return vaddq_s32(a, b); }
  static I Sub32(I a, I b) { return vsubq_s32(a, b); }
  static I Mul32(I a, I b) { return vmulq_s32(a, b); }
  static I And(I a, I b) { return vandq_s32(a, b); }
  static I ShiftLeft32(I v, int bits) { return v << bits; }
  /// Copies of the sign come in from the left.
  static I ShiftRight32(I v, int bits) { return v >> bits; }

  /// sum + the products of unsigned bytes `u`, less kCodeOffset, and signed bytes `s`, four to a
  /// lane.
  static I Dot(I sum, I u, I s) {
    return vdotq_s32(sum, AsS8(veorq_s32(u, Set8(kCodeOffset))), AsS8(s));
  }
  /// sum + the signed bytes `s`, four to a lane.
  static I SumBytes(I sum, I s) { return vdotq_s32(sum, vdupq_n_s8(1), AsS8(s)); }

  static Half LoadHalf(const void* p) { return vld1_u8(static_cast<const uint8_t*>(p)); }
  // Nibbles, each in the upper half of a byte: the low ones, the high ones, or all in the order of
  // memory (low before high).
  static I NibblesLow(I v) { return FromU8(vshlq_n_u8(AsU8(v), 4)); }
  static I NibblesHigh(I v) { return And(v, Set8(0xf0)); }
  static I NibblesInOrder(Half v) {
    const uint8x16_t twice = vcombine_u8(v, v);
    return FromU8(vzip1q_u8(vshlq_n_u8(twice, 4), vandq_u8(twice, vdupq_n_u8(0xf0))));
  }
  /// Each byte's upper half as a number.
  static I UpperNibbles(I v) { return FromU8(vshrq_n_u8(AsU8(v), 4)); }
  /// `v`, which is positive, with those bytes negated where bit `bit` of the same byte of `signs`
  /// is set.
  static I NegateWhere(I signs, int bit, I v) {
    const uint8x16_t set = vdupq_n_u8(static_cast<uint8_t>(1 << bit));
    const int8x16_t negative = vreinterpretq_s8_u8(vtstq_u8(AsU8(signs), set));
    return vreinterpretq_s32_s8(vsubq_s8(veorq_s8(AsS8(v), negative), negative));
  }
  /// The bytes at `indices` (0 to 15) of a table that stands in each 128 bits of `table`.
  static I LookUp(I table, I indices) { return FromU8(vqtbl1q_u8(AsU8(table), AsU8(indices))); }
  /// The even bytes of 2 * kBytes bytes, then the odd ones.
  static void Deinterleave8(const uint8_t* from, uint8_t* even, uint8_t* odd) {
    const uint8x16x2_t parts = vld2q_u8(from);
    vst1q_u8(even, parts.val[0]);
    vst1q_u8(odd, parts.val[1]);
  }

  static F ToFloat(I v) { return vcvtq_f32_s32(v); }
  /// To the nearest integer, ties to even.
  static I Round(F v) { return vcvtnq_s32_f32(v); }
  static F TimesPowerOf2(F v, I n) { return TimesPowerOf2InSteps<Neon>(v, n); }
  static F AsFloat(I v) { return vreinterpretq_f32_s32(v); }
  static I AsInt(F v) { return vreinterpretq_s32_f32(v); }
  static F ZeroF() { return vdupq_n_f32(0); }
  static F SetF(float v) { return vdupq_n_f32(v); }
  static F LoadF(const float* p) { return vld1q_f32(p); }
  static void StoreF(float* p, F v) { vst1q_f32(p, v); }
  static F LoadPartF(const float* p, size_t count) { return LoadFirstFloats<Neon>(p, count); }
  static void StorePartF(float* p, F v, size_t count) { StoreFirstFloats<Neon>(p, v, count); }
  static void StorePart8(void* p, I v, size_t count) { StoreFirstBytes<Neon>(p, v, count); }
  static void Store8(void* p, I a, I b, I c, I d) {
    const uint8x16_t ab = vuzp1q_u8(AsU8(a), AsU8(b));  // The even bytes.
    const uint8x16_t cd = vuzp1q_u8(AsU8(c), AsU8(d));
    vst1q_u8(static_cast<uint8_t*>(p), vuzp1q_u8(ab, cd));
  }
  static F Add(F a, F b) { return vaddq_f32(a, b); }
  static F Sub(F a, F b) { return vsubq_f32(a, b); }
  static F Mul(F a, F b) { return vmulq_f32(a, b); }
  static F Div(F a, F b) { return vdivq_f32(a, b); }
  static F MulAdd(F a, F b, F c) { return vfmaq_f32(c, a, b); }     ///< a b + c
  static F NegMulAdd(F a, F b, F c) { return vfmsq_f32(c, a, b); }  ///< c - a b
  // The instructions for these would give NaN, or the operand that is none.
  static F Min(F a, F b) { return vbslq_f32(vcltq_f32(a, b), a, b); }  ///< b if one is NaN.
  static F Max(F a, F b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }  ///< b if one is NaN.
  static float ReduceMin(F v) { return vminvq_f32(v); }
  static float ReduceMax(F v) { return vmaxvq_f32(v); }
  static float ReduceAdd(F v) { return vaddvq_f32(v); }
  static float First(F v) { return vgetq_lane_f32(v, 0); }
  /// Lane i is lane index[i] of `v`.
  static F Permute(F v, I index) {
    const I bytes = Add32(Mul32(index, Set32(0x04040404)), Set32(0x03020100));
    return AsFloat(FromU8(vqtbl1q_u8(AsU8(AsInt(v)), AsU8(bytes))));
  }

  // kLanes numbers of another type as floats.
  static F WidenF16(const void* p) { return vcvt_f32_f16(vreinterpret_f16_u8(LoadHalf(p))); }
  static void StoreF16(void* p, F v) {
    vst1_u8(static_cast<uint8_t*>(p), vreinterpret_u8_f16(vcvt_f16_f32(v)));
  }
  static F WidenBF16(const void* p) {
    return vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(LoadHalf(p)), 16));
  }
  static F WidenI8(const void* p) {
    uint32_t bytes;
    __builtin_memcpy(&bytes, p, sizeof bytes);
    return ToFloat(WidenBytes(vcreate_s8(bytes)));
  }
  static F WidenI4(const void* p) {
    uint16_t nibbles;
    __builtin_memcpy(&nibbles, p, sizeof nibbles);
    const uint8x8_t two = vcreate_u8(nibbles);
    const uint8x8_t both = vzip1_u8(vshl_n_u8(two, 4), two);
    // Each nibble in the upper half of a byte; the shift of the wide value drops the lower half.
    return ToFloat(ShiftRight32(WidenBytes(vreinterpret_s8_u8(both)), 4));
  }

  /// Rows become columns: lane j of v[i] and lane i of v[j] change places.
  [[gnu::always_inline]] static void Transpose(I* v) {
    const int64x2_t even01 = vreinterpretq_s64_s32(vtrn1q_s32(v[0], v[1]));
    const int64x2_t odd01 = vreinterpretq_s64_s32(vtrn2q_s32(v[0], v[1]));
    const int64x2_t even23 = vreinterpretq_s64_s32(vtrn1q_s32(v[2], v[3]));
    const int64x2_t odd23 = vreinterpretq_s64_s32(vtrn2q_s32(v[2], v[3]));
    v[0] = vreinterpretq_s32_s64(vtrn1q_s64(even01, even23));
    v[1] = vreinterpretq_s32_s64(vtrn1q_s64(odd01, odd23));
    v[2] = vreinterpretq_s32_s64(vtrn2q_s64(even01, even23));
    v[3] = vreinterpretq_s32_s64(vtrn2q_s64(odd01, odd23));
  }

  /// The sums of the lanes of four vectors.
  static void Sum4(const I* v, int32_t* sums) {
    vst1q_s32(sums, vpaddq_s32(vpaddq_s32(v[0], v[1]), vpaddq_s32(v[2], v[3])));
  }

 private:
  static uint8x16_t AsU8(I v) { return vreinterpretq_u8_s32(v); }
  static int8x16_t AsS8(I v) { return vreinterpretq_s8_s32(v); }
  static I FromU8(uint8x16_t v) { return vreinterpretq_s32_u8(v); }
  /// The first four as int32.
  static I WidenBytes(int8x8_t v) { return vmovl_s16(vget_low_s16(vmovl_s8(v))); }
};

}  // namespace
}  // namespace litertlm

#endif  // LITERTLM_KERNELS_ARM_VEC_NEON_H_
