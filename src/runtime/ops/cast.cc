// Conversions between dtypes, and of numbers to codes.
#include <cmath>
#include <type_traits>

#include "base/half.h"
#include "kernels/scalar/functions.h"
#include "runtime/parallel.h"
#include "runtime/tensor.h"

namespace litertlm {
namespace {

// Storage of 16-bit floats, told apart by type.
struct F16 {
  uint16_t bits;
};
struct BF16 {
  uint16_t bits;
};

template <typename T>
auto Widen(T value) {
  if constexpr (std::is_same_v<T, F16>) {
    return F16ToFloat(value.bits);
  } else if constexpr (std::is_same_v<T, BF16>) {
    return BF16ToFloat(value.bits);
  } else {
    return value;
  }
}

template <typename To, typename From>
To Convert(From value) {
  if constexpr (std::is_same_v<To, F16>) {
    return {FloatToF16(static_cast<float>(Widen(value)))};
  } else if constexpr (std::is_same_v<To, BF16>) {
    return {FloatToBF16(static_cast<float>(Widen(value)))};
  } else {
    return scalar::Cast<To>(Widen(value));
  }
}

// Calls `f` with a value of the type that stores `dtype`; dtypes that cannot be cast were refused.
template <typename F>
void WithType(DType dtype, F f) {
  switch (dtype) {
    case DType::kF32:
      return f(float{});
    case DType::kF16:
      return f(F16{});
    case DType::kBF16:
      return f(BF16{});
    case DType::kI64:
      return f(int64_t{});
    case DType::kI32:
      return f(int32_t{});
    case DType::kI16:
      return f(int16_t{});
    case DType::kI8:
      return f(int8_t{});
    case DType::kU8:
      return f(uint8_t{});
    default:
      return f(bool{});
  }
}

template <typename T>
void Quantize(const OpContext& context) {
  const auto& quantization = context.As<QuantizeAttributes>();
  const float factor = 1.0f / quantization.scale;
  const auto zero_point = static_cast<float>(quantization.zero_point);
  const float* x = context.in(0).as<float>();
  T* y = context.out().mutable_as<T>();
  ParallelRanges(context.workers.pool, context.out().count(), 4, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      y[i] = scalar::Cast<T>(std::nearbyint(x[i] * factor) + zero_point);
    }
  });
}

}  // namespace

void RunQuantize(const OpContext& context) {
  switch (context.out().dtype()) {
    case DType::kI8:
      return Quantize<int8_t>(context);
    case DType::kU8:
      return Quantize<uint8_t>(context);
    default:
      return Quantize<int16_t>(context);
  }
}

void RunCast(const OpContext& context) {
  WithType(context.in(0).dtype(), [&]<typename From>(From) {
    WithType(context.out().dtype(), [&]<typename To>(To) {
      const From* x = context.in(0).as<From>();
      To* y = context.out().mutable_as<To>();
      ParallelRanges(context.workers.pool, context.out().count(), 1,
                     [&](int64_t first, int64_t last) {
                       for (int64_t i = first; i < last; ++i) y[i] = Convert<To>(x[i]);
                     });
    });
  });
}

}  // namespace litertlm
