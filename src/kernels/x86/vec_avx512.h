// AVX-512 with VNNI, as the templates of kernels/simd/ want it. Only for files compiled for that
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
  static constexpr int kLanes = 16;
  static constexpr int kBytes = 64;
  static constexpr int kPanelRows = 12;  ///< 24 sums, 2 weights and a code of 32 registers.
  static constexpr int kPanelVectors = 2;
  using I = __m512i;  ///< 16 int32 or 64 bytes.
  using F = __m512;

  static I Zero() { return _mm512_setzero_si512(); }
  static I Load(const void* p) { return _mm512_loadu_si512(p); }
  /// The first `bytes` (at most 64) bytes at `p`, then zeros.
  static I LoadPart(const void* p, size_t bytes) {
    return _mm512_maskz_loadu_epi8(_bzhi_u64(~uint64_t{0}, static_cast<uint32_t>(bytes)), p);
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
  static I Add32(I a, I b) { return _mm512_add_epi32(a, b); }
  static I Sub32(I a, I b) { return _mm512_sub_epi32(a, b); }
  static I Mul32(I a, I b) { return _mm512_mullo_epi32(a, b); }
  /// sum + the products of unsigned bytes `u` and signed bytes `s`, four to a lane.
  static I Dot(I sum, I u, I s) { return _mm512_dpbusd_epi32(sum, u, s); }
  using Half = __m256i;
  static Half LoadHalf(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static Half LoadHalfPart(const void* p, size_t bytes) {
    return _mm256_maskz_loadu_epi8(_bzhi_u32(~0u, static_cast<uint32_t>(bytes)), p);
  }
  /// 64 nibbles in the order of memory (low ones first), each in the upper half of a byte.
  static I NibblesInOrder(Half v) {
    const I words = _mm512_cvtepu8_epi16(v);
    const I low_then_high =
        _mm512_or_si512(_mm512_slli_epi16(words, 4), _mm512_slli_epi16(words, 8));
    return _mm512_and_si512(low_then_high, Set8(0xf0));
  }
  static I ShiftRight32(I v, int bits) { return _mm512_srai_epi32(v, static_cast<unsigned>(bits)); }

  static F ToFloat(I v) { return _mm512_cvtepi32_ps(v); }
  static F ZeroF() { return _mm512_setzero_ps(); }
  static F SetF(float v) { return _mm512_set1_ps(v); }
  static F LoadF(const float* p) { return _mm512_loadu_ps(p); }
  static void StoreF(float* p, F v) { _mm512_storeu_ps(p, v); }
  static F LoadPartF(const float* p, size_t count) { return _mm512_maskz_loadu_ps(Mask(count), p); }
  static void StorePartF(float* p, F v, size_t count) { _mm512_mask_storeu_ps(p, Mask(count), v); }
  static F Add(F a, F b) { return _mm512_add_ps(a, b); }
  static F Mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F Min(F a, F b) { return _mm512_min_ps(a, b); }  ///< b if either is NaN.
  static F Max(F a, F b) { return _mm512_max_ps(a, b); }  ///< b if either is NaN.
  static float ReduceMin(F v) { return _mm512_reduce_min_ps(v); }
  static float ReduceMax(F v) { return _mm512_reduce_max_ps(v); }
  /// To the nearest integer, ties to even.
  static I Round(F v) { return _mm512_cvtps_epi32(v); }
  /// The lowest byte of the first `count` lanes.
  static void StorePart8(void* p, I v, size_t count) {
    _mm512_mask_cvtepi32_storeu_epi8(p, Mask(count), v);
  }
  /// a * b + c, rounded once.
  static F MulAdd(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }

  /// Rows become columns: lane j of v[i] and lane i of v[j] change places.
  [[gnu::always_inline]] static void Transpose(I* v) {
    I t[16];
    for (int i = 0; i < 8; ++i) {
      t[2 * i] = _mm512_unpacklo_epi32(v[2 * i], v[2 * i + 1]);
      t[2 * i + 1] = _mm512_unpackhi_epi32(v[2 * i], v[2 * i + 1]);
    }
    for (int i = 0; i < 4; ++i) {
      v[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
      v[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
      v[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
      v[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
    }
    for (int i = 0; i < 4; ++i) {  // v[4 q + i] holds 128-bit parts of columns i, 4 + i, ….
      t[i] = _mm512_shuffle_i32x4(v[i], v[4 + i], 0x88);
      t[4 + i] = _mm512_shuffle_i32x4(v[i], v[4 + i], 0xdd);
      t[8 + i] = _mm512_shuffle_i32x4(v[8 + i], v[12 + i], 0x88);
      t[12 + i] = _mm512_shuffle_i32x4(v[8 + i], v[12 + i], 0xdd);
    }
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
