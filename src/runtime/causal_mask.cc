#include "runtime/causal_mask.h"

#include <algorithm>
#include <cfloat>

#include "base/half.h"

namespace litertlm {
namespace {

constexpr float kMasked = -0.7f * FLT_MAX;
constexpr float kMaskedF16 = -45824.0f;

template <typename T>
void FillRows(const MaskRows& shape, T masked, T visible, std::byte* mask) {
  T* row = reinterpret_cast<T*>(mask);
  for (int64_t i = 0; i < shape.rows; ++i, row += shape.columns) {
    const int64_t filled = i < shape.real ? shape.position + i + 1 : 0;
    std::fill_n(row, filled, visible);
    std::fill(row + filled, row + shape.columns, masked);
  }
}

}  // namespace

void FillCausalMask(DType dtype, const MaskRows& shape, std::vector<std::byte>& mask) {
  mask.resize(
      BytesFor(dtype, static_cast<uint64_t>(shape.rows) * static_cast<uint64_t>(shape.columns)));
  if (dtype == DType::kF32) {
    FillRows<float>(shape, kMasked, 0.0f, mask.data());
  } else if (dtype == DType::kF16) {
    FillRows<uint16_t>(shape, FloatToF16(kMaskedF16), FloatToF16(0.0f), mask.data());
  } else {
    FillRows<uint8_t>(shape, 0, 1, mask.data());
  }
}

}  // namespace litertlm
