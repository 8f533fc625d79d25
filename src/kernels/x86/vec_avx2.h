// AVX2, with or without the VNNI instructions for 256 bits, as the templates of kernels/simd/ want
// it. Only for the files compiled for those sets: everything here has internal linkage.
#ifndef LITERTLM_KERNELS_X86_VEC_AVX2_H_
#define LITERTLM_KERNELS_X86_VEC_AVX2_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/simd/substitutes.h"

namespace litertlm {
namespace {

struct Avx2 {
  static constexpr size_t kLanes = 8;
  static constexpr size_t kBytes = 32;
  static constexpr size_t kVectors = 2;
#if defined(__AVXVNNI__)
  static constexpr bool kHasDot = true;
  static constexpr int kNibbleUnit = 16;
  static constexpr size_t kTileRows = 4;   ///< 8 sums of 16 registers.
  static constexpr size_t kBlockRows = 2;  ///< 4 integer and 4 float sums.
#else
  static constexpr bool kHasDot = false;
  static constexpr int kNibbleUnit = 1;
  static constexpr size_t kTileRows = 6;   ///< 12 sums, 2 weights, a code, a product.
  static constexpr size_t kBlockRows = 4;  ///< 8 sums; those of floats rest in memory.
#endif
  static constexpr int kCodeOffset = 0;  ///< What Dot takes off its unsigned bytes.
  using I = __m256i;                     ///< 8 int32 or 32 bytes.
  using F = __m256;
  using Half = __m128i;

  static I Zero() { return _mm256_setzero_si256(); }
  static I Load(const void* p) { return _mm256_loadu_si256(static_cast<const I*>(p)); }
  static void Store(void* p, I v) { _mm256_storeu_si256(static_cast<I*>(p), v); }
  static I Set8(int value) { return _mm256_set1_epi8(static_cast<char>(value)); }
  static I Set32(int32_t value) { return _mm256_set1_epi32(value); }
  /// The four bytes at `p` in every lane.
  static I Repeat32(const void* p) {
    int32_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return _mm256_set1_epi32(value);
  }
  /// 0, 1, 2, …
  static I Iota() { return _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0); }
  static I Add32(I a, I b) { return _mm256_add_epi32(a, b); }
  static I Sub32(I a, I b) { return _mm256_sub_epi32(a, b); }
  static I Mul32(I a, I b) { return _mm256_mullo_epi32(a, b); }
  static I And(I a, I b) { return _mm256_and_si256(a, b); }
  static I ShiftLeft32(I v, int bits) { return _mm256_slli_epi32(v, bits); }
  /// Copies of the sign come in from the left.
  static I ShiftRight32(I v, int bits) { return _mm256_srai_epi32(v, bits); }

  static Half LoadHalf(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
#if defined(__AVXVNNI__)
  /// sum + the products of unsigned bytes `u` and signed bytes `s`, four to a lane.
  static I Dot(I sum, I u, I s) { return _mm256_dpbusd_avx_epi32(sum, u, s); }
  /// sum + the signed bytes `s`, four to a lane.
  static I SumBytes(I sum, I s) { return Dot(sum, Set8(1), s); }
  /// sum + the products of signed words, two to a lane.
  static I DotWords(I sum, I a, I b) { return _mm256_dpwssd_avx_epi32(sum, a, b); }
  /// The lower words of `low` and `high` beside each other in each lane.
  static I PairWords(I low, I high) { return _mm256_blend_epi16(low, ShiftLeft32(high, 16), 0xaa); }

  // Nibbles, each in the upper half of a byte: the low ones, the high ones, or all in the order of
  // memory (low before high).
  static I NibblesLow(I v) { return And(_mm256_slli_epi16(v, 4), Set8(0xf0)); }
  static I NibblesHigh(I v) { return And(v, Set8(0xf0)); }
  static I NibblesInOrder(Half v) {
    const I words = _mm256_cvtepu8_epi16(v);
    const I both = _mm256_or_si256(_mm256_slli_epi16(words, 4), _mm256_slli_epi16(words, 8));
    return And(both, Set8(0xf0));
  }
#else
  static I Set16(int value) { return _mm256_set1_epi16(static_cast<int16_t>(value)); }
  static I Add8(I a, I b) { return _mm256_add_epi8(a, b); }
  static I Add16(I a, I b) { return _mm256_add_epi16(a, b); }
  static I Sub16(I a, I b) { return _mm256_sub_epi16(a, b); }
  /// The products of unsigned bytes `u` and signed bytes `s`, added up by twos to words. Beyond 16
  /// bits they saturate.
  static I MulBytes(I u, I s) { return _mm256_maddubs_epi16(u, s); }
  /// The products of words, added up by twos.
  static I MulPairs(I a, I b) { return _mm256_madd_epi16(a, b); }
  /// The two words of each lane added up.
  static I SumWords(I v) { return MulPairs(v, Set16(1)); }
  /// sum + the signed bytes `s`, four to a lane.
  static I SumBytes(I sum, I s) { return Add32(sum, SumWords(MulBytes(Set8(1), s))); }
  static I WidenU8(const void* p) { return _mm256_cvtepu8_epi16(LoadHalf(p)); }
  static I WidenI8Words(const void* p) { return _mm256_cvtepi8_epi16(LoadHalf(p)); }
  /// `a` becomes the first two bytes of each lane of `a` and then of `b`; `b` the last two.
  static void PairsApart(I& a, I& b) {
    const I order = _mm256_broadcastsi128_si256(
        _mm_set_epi8(15, 14, 11, 10, 7, 6, 3, 2, 13, 12, 9, 8, 5, 4, 1, 0));
    const I from_a = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(a, order), 0xd8);
    const I from_b = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(b, order), 0xd8);
    a = _mm256_permute2x128_si256(from_a, from_b, 0x20);
    b = _mm256_permute2x128_si256(from_a, from_b, 0x31);
  }

  // Nibbles as signed bytes: the low ones, the high ones, or all in the order of memory (low
  // before high).
  static I NibblesLow(I v) {
    const I values = _mm256_broadcastsi128_si256(
        _mm_set_epi8(-1, -2, -3, -4, -5, -6, -7, -8, 7, 6, 5, 4, 3, 2, 1, 0));
    return _mm256_shuffle_epi8(values, And(v, Set8(0x0f)));
  }
  static I NibblesHigh(I v) { return NibblesLow(_mm256_srli_epi16(v, 4)); }
  static I NibblesInOrder(Half v) {
    const I words = _mm256_cvtepu8_epi16(v);
    return NibblesLow(_mm256_or_si256(words, _mm256_slli_epi16(words, 4)));
  }
#endif
  /// Each byte's upper half as a number.
  static I UpperNibbles(I v) { return And(_mm256_srli_epi16(v, 4), Set8(0x0f)); }
  /// `v`, which is positive, with those bytes negated where bit `bit` of the same byte of `signs`
  /// is set.
  static I NegateWhere(I signs, int bit, I v) {
    // To the sign of each byte; its other bits do not matter.
    const I first = _mm256_sllv_epi32(signs, Set32(7 - bit));
    return _mm256_sign_epi8(v, _mm256_or_si256(first, Set8(1)));
  }
  /// The bytes at `indices` (0 to 15) of a table that stands in each 128 bits of `table`.
  static I LookUp(I table, I indices) { return _mm256_shuffle_epi8(table, indices); }
  /// The even bytes of 2 * kBytes bytes, then the odd ones.
  static void Deinterleave8(const uint8_t* from, uint8_t* even, uint8_t* odd) {
    const I a = Load(from);
    const I b = Load(from + kBytes);
    const I low = _mm256_set1_epi16(0xff);
    const I evens = _mm256_packus_epi16(And(a, low), And(b, low));
    const I odds = _mm256_packus_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8));
    Store(even, _mm256_permute4x64_epi64(evens, 0xd8));
    Store(odd, _mm256_permute4x64_epi64(odds, 0xd8));
  }

  static F ToFloat(I v) { return _mm256_cvtepi32_ps(v); }
  /// To the nearest integer, ties to even.
  static I Round(F v) { return _mm256_cvtps_epi32(v); }
  static F TimesPowerOf2(F v, I n) { return TimesPowerOf2InSteps<Avx2>(v, n); }
  static F AsFloat(I v) { return _mm256_castsi256_ps(v); }
  static I AsInt(F v) { return _mm256_castps_si256(v); }
  static F ZeroF() { return _mm256_setzero_ps(); }
  static F SetF(float v) { return _mm256_set1_ps(v); }
  static F LoadF(const float* p) { return _mm256_loadu_ps(p); }
  static void StoreF(float* p, F v) { _mm256_storeu_ps(p, v); }
  /// The first `count` (at most kLanes) floats, then zeros.
  static F LoadPartF(const float* p, size_t count) { return _mm256_maskload_ps(p, Mask(count)); }
  static void StorePartF(float* p, F v, size_t count) { _mm256_maskstore_ps(p, Mask(count), v); }
  static void StorePart8(void* p, I v, size_t count) { StoreFirstBytes<Avx2>(p, v, count); }
  static void Store8(void* p, I a, I b, I c, I d) {
    const I byte = Set32(0xff);
    const I ab = _mm256_packus_epi32(And(a, byte), And(b, byte));
    const I cd = _mm256_packus_epi32(And(c, byte), And(d, byte));
    const I order = _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0);
    Store(p, _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), order));
  }
  static F Add(F a, F b) { return _mm256_add_ps(a, b); }
  static F Sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static F Mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static F Div(F a, F b) { return _mm256_div_ps(a, b); }
  static F MulAdd(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }      ///< a b + c
  static F NegMulAdd(F a, F b, F c) { return _mm256_fnmadd_ps(a, b, c); }  ///< c - a b
  static F Min(F a, F b) { return _mm256_min_ps(a, b); }                   ///< b if one is NaN.
  static F Max(F a, F b) { return _mm256_max_ps(a, b); }                   ///< b if one is NaN.
  static float ReduceMin(F v) {
    const __m128 four = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_min_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_min_ss(two, _mm_movehdup_ps(two)));
  }
  static float ReduceMax(F v) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }
  static float ReduceAdd(F v) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static float First(F v) { return _mm256_cvtss_f32(v); }
  /// Lane i is lane index[i] of `v`.
  static F Permute(F v, I index) { return _mm256_permutevar8x32_ps(v, index); }

  // kLanes numbers of another type as floats.
  static F WidenF16(const void* p) { return _mm256_cvtph_ps(LoadHalf(p)); }
  static void StoreF16(void* p, F v) {
    _mm_storeu_si128(static_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }
  static F WidenBF16(const void* p) {
    return AsFloat(ShiftLeft32(_mm256_cvtepu16_epi32(LoadHalf(p)), 16));
  }
  static F WidenI8(const void* p) {
    return ToFloat(_mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p))));
  }
  static F WidenI4(const void* p) {
    int32_t nibbles;
    __builtin_memcpy(&nibbles, p, sizeof nibbles);
    const __m128i words = _mm_cvtepu8_epi16(_mm_cvtsi32_si128(nibbles));
    const __m128i both = _mm_or_si128(_mm_slli_epi16(words, 4), _mm_slli_epi16(words, 8));
    // Each nibble in the upper half of a byte; the shift of the wide value drops the lower half.
    return ToFloat(ShiftRight32(_mm256_cvtepi8_epi32(both), 4));
  }

  /// Rows become columns: lane j of v[i] and lane i of v[j] change places. Unrolled, so that all
  /// stays in registers.
  [[gnu::always_inline]] static void Transpose(I* v) {
    I t[8];
#pragma GCC unroll 8
    for (int i = 0; i < 4; ++i) {
      t[2 * i] = _mm256_unpacklo_epi32(v[2 * i], v[2 * i + 1]);
      t[2 * i + 1] = _mm256_unpackhi_epi32(v[2 * i], v[2 * i + 1]);
    }
    I u[8];
#pragma GCC unroll 8
    for (int i = 0; i < 2; ++i) {
      u[4 * i] = _mm256_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
      u[4 * i + 1] = _mm256_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
      u[4 * i + 2] = _mm256_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
      u[4 * i + 3] = _mm256_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 4; ++i) {  // u[4 q + i] holds 128-bit parts of columns i and 4 + i.
      v[i] = _mm256_permute2x128_si256(u[i], u[4 + i], 0x20);
      v[4 + i] = _mm256_permute2x128_si256(u[i], u[4 + i], 0x31);
    }
  }

  /// The sums of the lanes of four vectors.
  static void Sum4(const I* v, int32_t* sums) {
    const I ab = _mm256_hadd_epi32(v[0], v[1]);
    const I cd = _mm256_hadd_epi32(v[2], v[3]);
    const I all = _mm256_hadd_epi32(ab, cd);
    const __m128i total =
        _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums), total);
  }

 private:
  static I Mask(size_t count) {
    return _mm256_cmpgt_epi32(Set32(static_cast<int32_t>(count)), Iota());
  }
};

}  // namespace
}  // namespace litertlm

#endif  // LITERTLM_KERNELS_X86_VEC_AVX2_H_
