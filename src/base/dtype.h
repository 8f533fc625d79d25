// Element types: described once, here, for every format that names them.
#ifndef LITERTLM_BASE_DTYPE_H_
#define LITERTLM_BASE_DTYPE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace litertlm {

enum class DType : uint8_t {
  kF32,
  kF16,
  kBF16,
  kI64,
  kI32,
  kI16,
  kI8,
  kU8,
  kBool,  ///< One byte, 0 or 1.
  kI4,    ///< Two per byte, the first in the low nibble; two's complement.
  kI2,    ///< Four per byte, the first in the lowest bits; two's complement.
};

struct DTypeInfo {
  DType dtype;
  std::string_view name;         ///< As shown to users: "f32", "i4".
  std::string_view safetensors;  ///< Name in a safetensors header; empty if it has none.
  int tflite;                    ///< Code in a TFLite `Tensor.type`.
  int bits;
};

const DTypeInfo& Info(DType dtype) noexcept;
std::optional<DType> DTypeFromSafetensors(std::string_view name) noexcept;
std::optional<DType> DTypeFromTflite(int code) noexcept;

/// Bytes that `count` elements occupy; sub-byte types round up to whole bytes.
/// `count` must be below 2^58, so that the product cannot overflow.
constexpr uint64_t BytesFor(int bits, uint64_t count) { return (count * bits + 7) / 8; }
inline uint64_t BytesFor(DType dtype, uint64_t count) { return BytesFor(Info(dtype).bits, count); }

}  // namespace litertlm

#endif  // LITERTLM_BASE_DTYPE_H_
