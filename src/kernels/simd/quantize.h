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
  typename V::F low = V::ZeroF();
  typename V::F high = V::ZeroF();
  size_t i = 0;
  for (; i + V::kLanes <= count; i += V::kLanes) {
    // A NaN in the first operand gives the second: it does not count.
    low = V::Min(V::LoadF(x + i), low);
    high = V::Max(V::LoadF(x + i), high);
  }
  const typename V::F last = V::LoadPartF(x + i, count - i);  // Zeros behind the end do not count.
  *least = V::ReduceMin(V::Min(last, low));
  *greatest = V::ReduceMax(V::Max(last, high));
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
  for (size_t i = 0; i < columns; i += V::kLanes) {
    const size_t count = columns - i < V::kLanes ? columns - i : V::kLanes;
    const F scaled = V::Mul(V::LoadPartF(x + i, count), inverse);
    const F clamped = V::Min(V::Max(scaled, least), most);
    V::StorePart8(codes + i, V::Add32(V::Round(clamped), zero_point), count);
  }
  *coding = {1.0f / range.inverse, range.zero_point};
}

template <typename V>
void ToI8(const float* x, int8_t* y, size_t count) {
  float low = 0;
  float high = 0;
  FindRange<V>(x, count, &low, &high);
  const CacheScale coding = ScaleUpTo(-low > high ? -low : high);
  const typename V::F inverse = V::SetF(coding.inverse);
  for (size_t i = 0; i < count; i += V::kLanes) {
    const size_t some = count - i < V::kLanes ? count - i : V::kLanes;
    V::StorePart8(y + i, V::Round(V::Mul(V::LoadPartF(x + i, some), inverse)), some);
  }
  __builtin_memcpy(y + count, &coding.scale, sizeof(coding.scale));
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_QUANTIZE_H_
