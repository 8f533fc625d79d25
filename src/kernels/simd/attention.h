// Attention by blocks of keys, with the softmax carried along (Milakov and Gimelshein, "Online
// normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022).
//
// The query vectors of some rows and all heads of a group are one task: they share keys and values.
// For each block of keys: scores = queries · keysᵀ; each query's scores become
// exp(score - highest so far); results so far are scaled down to the new highest; results += those
// · values. At the end each result is divided by the sum of its exponentials.
#ifndef LITERTLM_KERNELS_SIMD_ATTENTION_H_
#define LITERTLM_KERNELS_SIMD_ATTENTION_H_

#include "kernels/simd/prompt_attention.h"
#include "kernels/simd/reply_attention.h"

namespace litertlm {

/// T is the type of the cache: float, uint16_t for f16, or int8_t. The head size is a multiple of
/// V::kLanes.
template <typename V, typename T>
void RunAttention(const AttentionArgs& args, float* scratch) {
  const AttentionTask<V, T> task(args);
  if (task.queries() <= ReplyAttention<V, T>::kQueries) {
    ReplyAttention<V, T>(task, scratch).Run();
  } else {
    PromptAttention<V, T>(task, scratch).Run();
  }
}

/// For tasks of any number of rows up to PromptAttention's.
template <typename V>
size_t AttentionScratchBytes(const AttentionArgs& args) {
  const size_t group = args.heads / args.kv_heads;
  const size_t most = PromptAttention<V, float>::kQueries;
  const size_t queries = group > most ? group : most;
  // Caches in f16 and int8 are turned into the same.
  return sizeof(float) *
         (args.cache_type == DType::kF32
              ? PromptAttention<V, float>::ScratchFloats(queries, args.head_size)
              : PromptAttention<V, uint16_t>::ScratchFloats(queries, args.head_size));
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_ATTENTION_H_
