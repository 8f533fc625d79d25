// Causal attention over the filled rows of a cache.
#ifndef LITERTLM_KERNELS_ATTENTION_H_
#define LITERTLM_KERNELS_ATTENTION_H_

#include <cstddef>

#include "base/dtype.h"
#include "base/thread_pool.h"
#include "kernels/rotation.h"

namespace litertlm {

/// Row t of the input stands at position `position` + t. It sees the keys of positions 0 to its
/// own, or only the last `window` of them. Strides are in floats. Head n of the queries uses head
/// n / (heads / kv_heads) of keys and values, as the usual grouping does.
struct AttentionArgs {
  const float* q = nullptr;  ///< [rows, heads, head_size]
  size_t q_row_stride = 0;
  size_t q_head_stride = 0;
  float* y = nullptr;  ///< [rows, heads, head_size]
  size_t y_row_stride = 0;
  size_t y_head_stride = 0;
  DType cache_type = DType::kF32;  ///< kF32, kF16 or kI8, of keys and values.
  const void* keys = nullptr;      ///< [kv_heads, cache_positions, cache_row]
  const void* values = nullptr;    ///< The same.
  size_t cache_positions = 0;      ///< Filled or not.
  size_t cache_row = 0;            ///< CacheRowLength(cache_type, head_size)
  size_t rows = 0;
  size_t heads = 0;
  size_t kv_heads = 0;
  size_t head_size = 0;
  size_t position = 0;
  size_t window = 0;  ///< 0: no limit.
  float scale = 1;    ///< Of the products of queries and keys.
  Rotation rotation;  ///< Of the queries, before anything else.
};

/// y = softmax(scale * q · keysᵀ) · values for each row and head, in parallel over heads and
/// blocks of rows. Reads only the positions that some row sees. `y` may be `q`.
void Attention(const AttentionArgs& args, ThreadPool& pool);

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_ATTENTION_H_
