#include "base/dtype.h"

#include <array>

namespace litertlm {
namespace {

// In the order of the enumeration.
constexpr std::array<DTypeInfo, 11> kTypes = {{
    {DType::kF32, "f32", "F32", 0, 32},
    {DType::kF16, "f16", "F16", 1, 16},
    {DType::kBF16, "bf16", "BF16", 18, 16},
    {DType::kI64, "i64", "I64", 4, 64},
    {DType::kI32, "i32", "I32", 2, 32},
    {DType::kI16, "i16", "I16", 7, 16},
    {DType::kI8, "i8", "I8", 9, 8},
    {DType::kU8, "u8", "U8", 3, 8},
    {DType::kBool, "bool", "BOOL", 6, 8},
    {DType::kI4, "i4", "", 17, 4},
    {DType::kI2, "i2", "", 19, 2},
}};

}  // namespace

const DTypeInfo& Info(DType dtype) noexcept { return kTypes[static_cast<size_t>(dtype)]; }

std::optional<DType> DTypeFromSafetensors(std::string_view name) noexcept {
  for (const DTypeInfo& info : kTypes) {
    if (!info.safetensors.empty() && info.safetensors == name) return info.dtype;
  }
  return std::nullopt;
}

std::optional<DType> DTypeFromTflite(int code) noexcept {
  for (const DTypeInfo& info : kTypes) {
    if (info.tflite == code) return info.dtype;
  }
  return std::nullopt;
}

}  // namespace litertlm
