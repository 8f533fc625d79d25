// SSE up to 4.1, as the templates of kernels/simd/ want it. Only for the file compiled for that
// set: everything here has internal linkage.
#ifndef LITERTLM_KERNELS_X86_VEC_SSE41_H_
#define LITERTLM_KERNELS_X86_VEC_SSE41_H_

#include <smmintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/simd/substitutes.h"

namespace litertlm {
namespace {

struct Sse41 {
  static constexpr size_t kLanes = 4;
  static constexpr size_t kBytes = 16;
  static constexpr size_t kVectors = 2;
  static constexpr bool kHasDot = false;
  static constexpr int kNibbleUnit = 1;
  static constexpr size_t kTileRows = 6;   ///< 12 sums, 2 weights, a code, a product.
  static constexpr size_t kBlockRows = 4;  ///< 8 sums; those of floats rest in memory.
  static constexpr int kCodeOffset = 0;    ///< What Dot takes off its unsigned bytes.
  using I = __m128i;                       ///< 4 int32 or 16 bytes.
  using F = __m128;
  using Half = __m128i;  ///< In its lower half.

  static I Zero() { return _mm_setzero_si128(); }
  static I Load(const void* p) { return _mm_loadu_si128(static_cast<const I*>(p)); }
  static void Store(void* p, I v) { _mm_storeu_si128(static_cast<I*>(p), v); }
  static I Set8(int value) { return _mm_set1_epi8(static_cast<char>(value)); }
  static I Set32(int32_t value) { return _mm_set1_epi32(value); }
  /// The four bytes at `p` in every lane.
  static I Repeat32(const void* p) {
    int32_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return _mm_set1_epi32(value);
  }
  /// 0, 1, 2, …
  static I Iota() { return _mm_set_epi32(3, 2, 1, 0); }
  static I Add32(I a, I b) { return _mm_add_epi32(a, b); }
  static I Sub32(I a, I b) { return _mm_sub_epi32(a, b); }
  static I Mul32(I a, I b) { return _mm_mullo_epi32(a, b); }
  static I And(I a, I b) { return _mm_and_si128(a, b); }
  static I ShiftLeft32(I v, int bits) { return _mm_slli_epi32(v, bits); }
  /// Copies of the sign come in from the left.
  static I ShiftRight32(I v, int bits) { return _mm_srai_epi32(v, bits); }

  static Half LoadHalf(const void* p) { return _mm_loadl_epi64(static_cast<const I*>(p)); }
  static I Set16(int value) { return _mm_set1_epi16(static_cast<int16_t>(value)); }
  static I Add8(I a, I b) { return _mm_add_epi8(a, b); }
  static I Add16(I a, I b) { return _mm_add_epi16(a, b); }
  static I Sub16(I a, I b) { return _mm_sub_epi16(a, b); }
  /// The products of unsigned bytes `u` and signed bytes `s`, added up by twos to words. Beyond 16
  /// bits they saturate.
  static I MulBytes(I u, I s) { return _mm_maddubs_epi16(u, s); }
  /// The products of words, added up by twos.
  static I MulPairs(I a, I b) { return _mm_madd_epi16(a, b); }
  /// The two words of each lane added up.
  static I SumWords(I v) { return MulPairs(v, Set16(1)); }
  /// sum + the signed bytes `s`, four to a lane.
  static I SumBytes(I sum, I s) { return Add32(sum, SumWords(MulBytes(Set8(1), s))); }
  static I WidenU8(const void* p) { return _mm_cvtepu8_epi16(LoadHalf(p)); }
  static I WidenI8Words(const void* p) { return _mm_cvtepi8_epi16(LoadHalf(p)); }
  /// `a` becomes the first two bytes of each lane of `a` and then of `b`; `b` the last two.
  static void PairsApart(I& a, I& b) {
    const I order = _mm_set_epi8(15, 14, 11, 10, 7, 6, 3, 2, 13, 12, 9, 8, 5, 4, 1, 0);
    const I from_a = _mm_shuffle_epi8(a, order);
    const I from_b = _mm_shuffle_epi8(b, order);
    a = _mm_unpacklo_epi64(from_a, from_b);
    b = _mm_unpackhi_epi64(from_a, from_b);
  }

  // Nibbles as signed bytes: the low ones, the high ones, or all in the order of memory (low
  // before high).
  static I NibblesLow(I v) {
    const I values = _mm_set_epi8(-1, -2, -3, -4, -5, -6, -7, -8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm_shuffle_epi8(values, And(v, Set8(0x0f)));
  }
  static I NibblesHigh(I v) { return NibblesLow(_mm_srli_epi16(v, 4)); }
  static I NibblesInOrder(Half v) { return _mm_unpacklo_epi8(NibblesLow(v), NibblesHigh(v)); }
  /// Each byte's upper half as a number.
  static I UpperNibbles(I v) { return And(_mm_srli_epi16(v, 4), Set8(0x0f)); }
  /// `v`, which is positive, with those bytes negated where bit `bit` of the same byte of `signs`
  /// is set.
  static I NegateWhere(I signs, int bit, I v) {
    // To the sign of each byte; its other bits do not matter.
    const I first = _mm_sll_epi16(signs, _mm_cvtsi32_si128(7 - bit));
    return _mm_sign_epi8(v, _mm_or_si128(first, Set8(1)));
  }
  /// The bytes at `indices` (0 to 15) of a table that stands in each 128 bits of `table`.
  static I LookUp(I table, I indices) { return _mm_shuffle_epi8(table, indices); }
  /// The even bytes of 2 * kBytes bytes, then the odd ones.
  static void Deinterleave8(const uint8_t* from, uint8_t* even, uint8_t* odd) {
    const I a = Load(from);
    const I b = Load(from + kBytes);
    const I low = _mm_set1_epi16(0xff);
    Store(even, _mm_packus_epi16(And(a, low), And(b, low)));
    Store(odd, _mm_packus_epi16(_mm_srli_epi16(a, 8), _mm_srli_epi16(b, 8)));
  }

  static F ToFloat(I v) { return _mm_cvtepi32_ps(v); }
  /// To the nearest integer, ties to even.
  static I Round(F v) { return _mm_cvtps_epi32(v); }
  static F TimesPowerOf2(F v, I n) { return TimesPowerOf2InSteps<Sse41>(v, n); }
  static F AsFloat(I v) { return _mm_castsi128_ps(v); }
  static I AsInt(F v) { return _mm_castps_si128(v); }
  static F ZeroF() { return _mm_setzero_ps(); }
  static F SetF(float v) { return _mm_set1_ps(v); }
  static F LoadF(const float* p) { return _mm_loadu_ps(p); }
  static void StoreF(float* p, F v) { _mm_storeu_ps(p, v); }
  static F LoadPartF(const float* p, size_t count) { return LoadFirstFloats<Sse41>(p, count); }
  static void StorePartF(float* p, F v, size_t count) { StoreFirstFloats<Sse41>(p, v, count); }
  static void StorePart8(void* p, I v, size_t count) { StoreFirstBytes<Sse41>(p, v, count); }
  static void Store8(void* p, I a, I b, I c, I d) {
    const I byte = Set32(0xff);
    const I ab = _mm_packus_epi32(And(a, byte), And(b, byte));
    const I cd = _mm_packus_epi32(And(c, byte), And(d, byte));
    Store(p, _mm_packus_epi16(ab, cd));
  }
  static F Add(F a, F b) { return _mm_add_ps(a, b); }
  static F Sub(F a, F b) { return _mm_sub_ps(a, b); }
  static F Mul(F a, F b) { return _mm_mul_ps(a, b); }
  static F Div(F a, F b) { return _mm_div_ps(a, b); }
  static F MulAdd(F a, F b, F c) { return Add(Mul(a, b), c); }     ///< a b + c
  static F NegMulAdd(F a, F b, F c) { return Sub(c, Mul(a, b)); }  ///< c - a b
  static F Min(F a, F b) { return _mm_min_ps(a, b); }              ///< b if one is NaN.
  static F Max(F a, F b) { return _mm_max_ps(a, b); }              ///< b if one is NaN.
  static float ReduceMin(F v) {
    const F two = _mm_min_ps(v, _mm_movehl_ps(v, v));
    return First(_mm_min_ss(two, _mm_movehdup_ps(two)));
  }
  static float ReduceMax(F v) {
    const F two = _mm_max_ps(v, _mm_movehl_ps(v, v));
    return First(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }
  static float ReduceAdd(F v) {
    const F two = _mm_add_ps(v, _mm_movehl_ps(v, v));
    return First(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static float First(F v) { return _mm_cvtss_f32(v); }
  /// Lane i is lane index[i] of `v`.
  static F Permute(F v, I index) {
    const I bytes = Add32(Mul32(index, Set32(0x04040404)), Set32(0x03020100));
    return AsFloat(_mm_shuffle_epi8(AsInt(v), bytes));
  }

  // kLanes numbers of another type as floats. For f16 there are no instructions: base/half.h
  // explains the steps.
  static F WidenF16(const void* p) {
    const I bits = _mm_cvtepu16_epi32(LoadHalf(p));
    const I magnitude = And(bits, Set32(0x7fff));
    const I sign = ShiftLeft32(_mm_xor_si128(bits, magnitude), 16);
    const I rebias = Set32(112 << 23);
    const I infinite = _mm_cmpgt_epi32(magnitude, Set32(0x7bff));
    const I normal = Add32(Add32(ShiftLeft32(magnitude, 13), rebias), And(infinite, rebias));
    const F subnormal = Mul(ToFloat(magnitude), SetF(0x1p-24f));
    const I small = _mm_cmplt_epi32(magnitude, Set32(0x400));
    return _mm_or_ps(_mm_blendv_ps(AsFloat(normal), subnormal, AsFloat(small)), AsFloat(sign));
  }
  static void StoreF16(void* p, F v) {
    const I bits = AsInt(v);
    const I magnitude = And(bits, Set32(0x7fffffff));
    const I sign = And(_mm_srli_epi32(bits, 16), Set32(0x8000));
    const I odd = And(_mm_srli_epi32(magnitude, 13), Set32(1));
    const I rounded = Add32(Add32(magnitude, Set32(0xfff)), odd);
    const I normal = _mm_srli_epi32(Sub32(rounded, Set32(0x38000000)), 13);
    const I subnormal = Sub32(AsInt(Add(AsFloat(magnitude), SetF(0.5f))), Set32(0x3f000000));
    I half = _mm_blendv_epi8(normal, subnormal, _mm_cmplt_epi32(magnitude, Set32(0x38800000)));
    half = _mm_blendv_epi8(half, Set32(0x7c00), _mm_cmpgt_epi32(magnitude, Set32(0x477fefff)));
    half = _mm_blendv_epi8(half, Set32(0x7e00), _mm_cmpgt_epi32(magnitude, Set32(0x7f800000)));
    half = _mm_or_si128(half, sign);
    _mm_storel_epi64(static_cast<I*>(p), _mm_packus_epi32(half, half));
  }
  static F WidenBF16(const void* p) {
    return AsFloat(ShiftLeft32(_mm_cvtepu16_epi32(LoadHalf(p)), 16));
  }
  static F WidenI8(const void* p) { return ToFloat(_mm_cvtepi8_epi32(Repeat32(p))); }
  static F WidenI4(const void* p) {
    uint16_t nibbles;
    __builtin_memcpy(&nibbles, p, sizeof nibbles);
    const I words = _mm_cvtepu8_epi16(_mm_cvtsi32_si128(nibbles));
    const I both = _mm_or_si128(_mm_slli_epi16(words, 4), _mm_slli_epi16(words, 8));
    // Each nibble in the upper half of a byte; the shift of the wide value drops the lower half.
    return ToFloat(ShiftRight32(_mm_cvtepi8_epi32(both), 4));
  }

  /// Rows become columns: lane j of v[i] and lane i of v[j] change places.
  [[gnu::always_inline]] static void Transpose(I* v) {
    const I low01 = _mm_unpacklo_epi32(v[0], v[1]);
    const I high01 = _mm_unpackhi_epi32(v[0], v[1]);
    const I low23 = _mm_unpacklo_epi32(v[2], v[3]);
    const I high23 = _mm_unpackhi_epi32(v[2], v[3]);
    v[0] = _mm_unpacklo_epi64(low01, low23);
    v[1] = _mm_unpackhi_epi64(low01, low23);
    v[2] = _mm_unpacklo_epi64(high01, high23);
    v[3] = _mm_unpackhi_epi64(high01, high23);
  }

  /// The sums of the lanes of four vectors.
  static void Sum4(const I* v, int32_t* sums) {
    Store(sums, _mm_hadd_epi32(_mm_hadd_epi32(v[0], v[1]), _mm_hadd_epi32(v[2], v[3])));
  }
};

}  // namespace
}  // namespace litertlm

#endif  // LITERTLM_KERNELS_X86_VEC_SSE41_H_
