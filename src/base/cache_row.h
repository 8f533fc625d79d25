// How caches of attention keep keys and values.
#ifndef LITERTLM_BASE_CACHE_ROW_H_
#define LITERTLM_BASE_CACHE_ROW_H_

#include <cstdint>

#include "base/dtype.h"

namespace litertlm {

/// Elements of `type` (kF32, kF16 or kI8) that the `size` numbers of one position and head take.
/// Behind codes of 8 bits are the bytes of a float, by which they are multiplied: a row of its own
/// scale needs no other place than the row.
constexpr int64_t CacheRowLength(DType type, int64_t size) {
  return type == DType::kI8 ? size + static_cast<int64_t>(sizeof(float)) : size;
}

}  // namespace litertlm

#endif  // LITERTLM_BASE_CACHE_ROW_H_
