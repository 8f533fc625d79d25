// AVX-512 with VNNI, as the templates of kernels/simd/ want it. Only for the file compiled for that
// set: everything here has internal linkage.
#ifndef LITERTLM_KERNELS_X86_VEC_AVX512_H_
#define LITERTLM_KERNELS_X86_VEC_AVX512_H_

// GCC 12 takes the "undefined" operands in its own header for mistakes.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <cstddef>
#include <cstdint>

namespace litertlm {
namespace {

struct Avx512 {
  static constexpr size_t kLanes = 16;
  static constexpr size_t kBytes = 64;
  static constexpr size_t kVectors = 2;    ///< Of outputs in a tile.
  static constexpr size_t kTileRows = 12;  ///< 24 sums, 2 weights and a code of 32 registers.
  static constexpr size_t kBlockRows = 6;  ///< 12 integer and 12 float sums.
  static constexpr bool kHasDot = true;
  static constexpr int kNibbleUnit = 16;
  static constexpr int kCodeOffset = 0;  ///< What Dot takes off its unsigned bytes.
  using I = __m512i;                     ///< 16 int32 or 64 bytes.
  using F = __m512;
  using Half = __m256i;

  static I Zero() { return _mm512_setzero_si512(); }
  static I Load(const void* p) { return _mm512_loadu_si512(p); }
  /// The first `count` (at most kBytes) bytes, then zeros.
  static I LoadPart8(const void* p, size_t count) {
    return _mm512_maskz_loadu_epi8(_bzhi_u64(~uint64_t{0}, count), p);
  }
  static void Store(void* p, I v) { _mm512_storeu_si512(p, v); }
  static I Set8(int value) { return _mm512_set1_epi8(static_cast<char>(value)); }
  static I Set32(int32_t value) { return _mm512_set1_epi32(value); }
  /// The four bytes at `p` in every lane.
  static I Repeat32(const void* p) {
    int32_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return _mm512_set1_epi32(value);
  }
  /// 0, 1, 2, …
  static I Iota() { return _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0); }
  static I Add32(I a, I b) { return _mm512_add_epi32(a, b); }
  static I Sub32(I a, I b) { return _mm512_sub_epi32(a, b); }
  static I Mul32(I a, I b) { return _mm512_mullo_epi32(a, b); }
  static I And(I a, I b) { return _mm512_and_si512(a, b); }
  static I ShiftLeft32(I v, int bits) { return _mm512_slli_epi32(v, static_cast<unsigned>(bits)); }
  /// Copies of the sign come in from the left.
  static I ShiftRight32(I v, int bits) { return _mm512_srai_epi32(v, static_cast<unsigned>(bits)); }
  /// sum + the products of unsigned bytes `u` and signed bytes `s`, four to a lane.
  static I Dot(I sum, I u, I s) { return _mm512_dpbusd_epi32(sum, u, s); }
  /// sum + the signed bytes `s`, four to a lane.
  static I SumBytes(I sum, I s) { return Dot(sum, Set8(1), s); }
  /// sum + the products of signed words, two to a lane.
  static I DotWords(I sum, I a, I b) { return _mm512_dpwssd_epi32(sum, a, b); }
  /// The lower words of `low` and `high` beside each other in each lane.
  static I PairWords(I low, I high) {
    return _mm512_mask_blend_epi16(0xaaaaaaaa, low, ShiftLeft32(high, 16));
  }

  static Half LoadHalf(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  // Nibbles, each in the upper half of a byte: the low ones, the high ones, or all in the order of
  // memory (low before high).
  static I NibblesLow(I v) { return And(_mm512_slli_epi16(v, 4), Set8(0xf0)); }
  static I NibblesHigh(I v) { return And(v, Set8(0xf0)); }
  /// Each byte's upper half as a number.
  static I UpperNibbles(I v) { return And(_mm512_srli_epi16(v, 4), Set8(0x0f)); }
  /// `v`, which is positive, with those bytes negated where bit `bit` of the same byte of `signs`
  /// is set.
  static I NegateWhere(I signs, int bit, I v) {
    const __mmask64 negative = _mm512_test_epi8_mask(signs, Set8(1 << bit));
    return _mm512_mask_sub_epi8(v, negative, Zero(), v);
  }
  /// The bytes at `indices` (0 to 15) of a table that stands in each 128 bits of `table`.
  static I LookUp(I table, I indices) { return _mm512_shuffle_epi8(table, indices); }
  static I NibblesInOrder(Half v) {
    const I words = _mm512_cvtepu8_epi16(v);
    const I both = _mm512_or_si512(_mm512_slli_epi16(words, 4), _mm512_slli_epi16(words, 8));
    return And(both, Set8(0xf0));
  }
  /// The even bytes of 2 * kBytes bytes, then the odd ones.
  static void Deinterleave8(const uint8_t* from, uint8_t* even, uint8_t* odd) {
    const I a = Load(from);
    const I b = Load(from + kBytes);
    const I low = Set32(0x00ff00ff);
    const I order = _mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0);
    Store(even, _mm512_permutexvar_epi64(order, _mm512_packus_epi16(And(a, low), And(b, low))));
    Store(odd, _mm512_permutexvar_epi64(
                   order, _mm512_packus_epi16(_mm512_srli_epi16(a, 8), _mm512_srli_epi16(b, 8))));
  }

  static F ToFloat(I v) { return _mm512_cvtepi32_ps(v); }
  /// To the nearest integer, ties to even.
  static I Round(F v) { return _mm512_cvtps_epi32(v); }
  /// v * 2^n, rounded once.
  static F TimesPowerOf2(F v, I n) { return _mm512_scalef_ps(v, ToFloat(n)); }
  static F AsFloat(I v) { return _mm512_castsi512_ps(v); }
  static I AsInt(F v) { return _mm512_castps_si512(v); }
  static F ZeroF() { return _mm512_setzero_ps(); }
  static F SetF(float v) { return _mm512_set1_ps(v); }
  static F LoadF(const float* p) { return _mm512_loadu_ps(p); }
  static void StoreF(float* p, F v) { _mm512_storeu_ps(p, v); }
  /// The first `count` (at most kLanes) floats, then zeros.
  static F LoadPartF(const float* p, size_t count) { return _mm512_maskz_loadu_ps(Mask(count), p); }
  static void StorePartF(float* p, F v, size_t count) { _mm512_mask_storeu_ps(p, Mask(count), v); }
  /// The lowest byte of the first `count` lanes.
  static void StorePart8(void* p, I v, size_t count) {
    _mm512_mask_cvtepi32_storeu_epi8(p, Mask(count), v);
  }
  /// The lowest bytes of all lanes, one vector after the other.
  static void Store8(void* p, I a, I b, I c, I d) {
    const I byte = Set32(0xff);
    const I ab = _mm512_packus_epi32(And(a, byte), And(b, byte));
    const I cd = _mm512_packus_epi32(And(c, byte), And(d, byte));
    const I order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    Store(p, _mm512_permutexvar_epi32(order, _mm512_packus_epi16(ab, cd)));
  }
  static F Add(F a, F b) { return _mm512_add_ps(a, b); }
  static F Sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F Mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F Div(F a, F b) { return _mm512_div_ps(a, b); }
  static F MulAdd(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }      ///< a b + c
  static F NegMulAdd(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }  ///< c - a b
  static F Min(F a, F b) { return _mm512_min_ps(a, b); }                   ///< b if one is NaN.
  static F Max(F a, F b) { return _mm512_max_ps(a, b); }                   ///< b if one is NaN.
  static float ReduceMin(F v) { return _mm512_reduce_min_ps(v); }
  static float ReduceMax(F v) { return _mm512_reduce_max_ps(v); }
  static float ReduceAdd(F v) { return _mm512_reduce_add_ps(v); }
  static float First(F v) { return _mm512_cvtss_f32(v); }
  /// Lane i is lane index[i] of `v`.
  static F Permute(F v, I index) { return _mm512_permutexvar_ps(index, v); }

  // kLanes numbers of another type as floats.
  static F WidenF16(const void* p) { return _mm512_cvtph_ps(LoadHalf(p)); }
  static void StoreF16(void* p, F v) {
    _mm256_storeu_si256(static_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }
  static F WidenBF16(const void* p) {
    return AsFloat(ShiftLeft32(_mm512_cvtepu16_epi32(LoadHalf(p)), 16));
  }
  static F WidenI8(const void* p) {
    return ToFloat(_mm512_cvtepi8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p))));
  }
  static F WidenI4(const void* p) {
    int64_t nibbles;
    __builtin_memcpy(&nibbles, p, sizeof nibbles);
    const __m128i words = _mm_cvtepu8_epi16(_mm_cvtsi64_si128(nibbles));
    const __m128i both = _mm_or_si128(_mm_slli_epi16(words, 4), _mm_slli_epi16(words, 8));
    // Each nibble in the upper half of a byte; the shift of the wide value drops the lower half.
    return ToFloat(ShiftRight32(_mm512_cvtepi8_epi32(both), 4));
  }

  /// Rows become columns: lane j of v[i] and lane i of v[j] change places. Unrolled, so that all
  /// stays in registers.
  [[gnu::always_inline]] static void Transpose(I* v) {
    I t[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      t[2 * i] = _mm512_unpacklo_epi32(v[2 * i], v[2 * i + 1]);
      t[2 * i + 1] = _mm512_unpackhi_epi32(v[2 * i], v[2 * i + 1]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 4; ++i) {
      v[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
      v[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
      v[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
      v[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 4; ++i) {  // v[4 q + i] holds 128-bit parts of columns i, 4 + i, ….
      t[i] = _mm512_shuffle_i32x4(v[i], v[4 + i], 0x88);
      t[4 + i] = _mm512_shuffle_i32x4(v[i], v[4 + i], 0xdd);
      t[8 + i] = _mm512_shuffle_i32x4(v[8 + i], v[12 + i], 0x88);
      t[12 + i] = _mm512_shuffle_i32x4(v[8 + i], v[12 + i], 0xdd);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 4; ++i) {
      v[i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0x88);
      v[4 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0x88);
      v[8 + i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0xdd);
      v[12 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0xdd);
    }
  }

  /// The sums of the lanes of four vectors.
  static void Sum4(const I* v, int32_t* sums) {
    const I ab = Add32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
    const I cd = Add32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
    const I all = Add32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    const __m256i half =
        _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    const __m128i quarter =
        _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums), quarter);
  }

 private:
  static __mmask16 Mask(size_t count) {
    return static_cast<__mmask16>(_bzhi_u32(0xffff, static_cast<uint32_t>(count)));
  }
};

}  // namespace
}  // namespace litertlm

#endif  // LITERTLM_KERNELS_X86_VEC_AVX512_H_
