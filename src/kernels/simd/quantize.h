// Coding of one row of activations; scalar/matmul_scalar.cc explains the formula.
#ifndef LITERTLM_KERNELS_SIMD_QUANTIZE_H_
#define LITERTLM_KERNELS_SIMD_QUANTIZE_H_

#include "kernels/kernel_table.h"
#include "kernels/scalar/scalar_kernels.h"

namespace litertlm {

template <typename V>
void QuantizeRow(const float* x, size_t columns, uint8_t* codes, RowCoding* coding) {
  using F = typename V::F;
  F low = V::ZeroF();
  F high = V::ZeroF();
  size_t i = 0;
  for (; i + V::kLanes <= columns; i += V::kLanes) {
    // A NaN in the first operand gives the second: it does not count.
    low = V::Min(V::LoadF(x + i), low);
    high = V::Max(V::LoadF(x + i), high);
  }
  const F last = V::LoadPartF(x + i, columns - i);  // Zeros behind the end are within the range.
  low = V::Min(last, low);
  high = V::Max(last, high);
  const RowRange range = CodeRange(V::ReduceMin(low), V::ReduceMax(high));

  const F inverse = V::SetF(range.inverse);
  const F least = V::SetF(static_cast<float>(-range.zero_point));
  const F most = V::SetF(static_cast<float>(255 - range.zero_point));
  const typename V::I zero_point = V::Set32(range.zero_point);
  for (i = 0; i < columns; i += V::kLanes) {
    const size_t count = columns - i < V::kLanes ? columns - i : V::kLanes;
    const F scaled = V::Mul(V::LoadPartF(x + i, count), inverse);
    const F clamped = V::Min(V::Max(scaled, least), most);
    V::StorePart8(codes + i, V::Add32(V::Round(clamped), zero_point), count);
  }
  *coding = {1.0f / range.inverse, range.zero_point};
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_QUANTIZE_H_
