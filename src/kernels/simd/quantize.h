// Coding of one row of activations, or of keys or values; scalar/matmul_scalar.cc explains the
// formula of activations.
#ifndef LITERTLM_KERNELS_SIMD_QUANTIZE_H_
#define LITERTLM_KERNELS_SIMD_QUANTIZE_H_

#include "kernels/kernel_table.h"
#include "kernels/scalar/scalar_kernels.h"

namespace litertlm {

/// The least and the greatest number of a row and 0.
template <typename V>
void FindRange(const float* x, size_t count, float* least, float* greatest) {
  using F = typename V::F;
  // Each vector waits for the one before in the same sums: four of them keep the units busy.
  constexpr size_t kParts = 4;
  F low[kParts];
  F high[kParts];
  for (size_t k = 0; k < kParts; ++k) low[k] = high[k] = V::ZeroF();
  // A NaN in the first operand gives the second: it does not count.
  const auto take = [&](size_t k, F v) {
    low[k] = V::Min(v, low[k]);
    high[k] = V::Max(v, high[k]);
  };
  size_t i = 0;
  for (; i + kParts * V::kLanes <= count; i += kParts * V::kLanes) {
#pragma GCC unroll 4
    for (size_t k = 0; k < kParts; ++k) take(k, V::LoadF(x + i + k * V::kLanes));
  }
  for (; i + V::kLanes <= count; i += V::kLanes) take(0, V::LoadF(x + i));
  take(0, V::LoadPartF(x + i, count - i));  // Zeros behind the end do not count.
  *least = V::ReduceMin(V::Min(V::Min(low[0], low[1]), V::Min(low[2], low[3])));
  *greatest = V::ReduceMax(V::Max(V::Max(high[0], high[1]), V::Max(high[2], high[3])));
}

/// Codes of a row: the lowest bytes of `code(numbers)`.
template <typename V, typename Code>
void StoreCodes(const float* x, size_t count, void* codes, const Code& code) {
  constexpr size_t kLanes = V::kLanes;
  auto* to = static_cast<uint8_t*>(codes);
  size_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    V::Store8(to + i, code(V::LoadF(x + i)), code(V::LoadF(x + i + kLanes)),
              code(V::LoadF(x + i + 2 * kLanes)), code(V::LoadF(x + i + 3 * kLanes)));
  }
  for (; i < count; i += kLanes) {
    const size_t some = count - i < kLanes ? count - i : kLanes;
    V::StorePart8(to + i, code(V::LoadPartF(x + i, some)), some);
  }
}

template <typename V>
void QuantizeRow(const float* x, size_t columns, uint8_t* codes, RowCoding* coding) {
  using F = typename V::F;
  float low = 0;
  float high = 0;
  FindRange<V>(x, columns, &low, &high);
  const RowRange range = CodeRange(low, high);
  const F inverse = V::SetF(range.inverse);
  const F least = V::SetF(static_cast<float>(-range.zero_point));
  const F most = V::SetF(static_cast<float>(255 - range.zero_point));
  const typename V::I zero_point = V::Set32(range.zero_point);
  StoreCodes<V>(x, columns, codes, [&](F numbers) {
    const F clamped = V::Min(V::Max(V::Mul(numbers, inverse), least), most);
    return V::Add32(V::Round(clamped), zero_point);
  });
  *coding = {1.0f / range.inverse, range.zero_point};
}

template <typename V>
void ToI8(const float* x, int8_t* y, size_t count) {
  float low = 0;
  float high = 0;
  FindRange<V>(x, count, &low, &high);
  const CacheScale coding = ScaleUpTo(-low > high ? -low : high);
  const typename V::F inverse = V::SetF(coding.inverse);
  StoreCodes<V>(x, count, y,
                [&](typename V::F numbers) { return V::Round(V::Mul(numbers, inverse)); });
  __builtin_memcpy(y + count, &coding.scale, sizeof(coding.scale));
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_QUANTIZE_H_
