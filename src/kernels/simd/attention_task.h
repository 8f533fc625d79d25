// What attention of replies and of prompts have in common: the queries, keys and values of a task.
#ifndef LITERTLM_KERNELS_SIMD_ATTENTION_TASK_H_
#define LITERTLM_KERNELS_SIMD_ATTENTION_TASK_H_

#include <type_traits>

#include "kernels/attention.h"
#include "kernels/kernel_table.h"
#include "kernels/simd/float_tile.h"

namespace litertlm {

/// Queries are numbered by row, then by head of the group.
template <typename V, typename T>
class AttentionTask {
  using F = typename V::F;
  static constexpr size_t kLanes = V::kLanes;

 public:
  explicit AttentionTask(const AttentionArgs& args)
      : args_(args),
        group_(args.heads),
        queries_(args.rows * group_),
        keys_(static_cast<const T*>(args.keys)),
        values_(static_cast<const T*>(args.values)) {}

  size_t queries() const { return queries_; }
  size_t head_size() const { return args_.head_size; }
  float scale() const { return args_.scale; }

  const float* Query(size_t query) const {
    return args_.q + query / group_ * args_.q_row_stride + query % group_ * args_.q_head_stride;
  }
  float* Result(size_t query) const {
    return args_.y + query / group_ * args_.y_row_stride + query % group_ * args_.y_head_stride;
  }

  /// The positions that a query sees; those of later queries begin and end later.
  Range VisibleTo(size_t query) const {
    const size_t end = args_.position + query / group_ + 1;
    return {args_.window != 0 && end > args_.window ? end - args_.window : 0, end};
  }
  /// The positions that some query sees.
  Range Visible() const { return {VisibleTo(0).begin, VisibleTo(queries_ - 1).end}; }
  /// The queries that see some of `keys`.
  Range QueriesSeeing(Range keys) const {
    const size_t first = args_.position;
    const size_t begin = keys.begin > first ? (keys.begin - first) * group_ : 0;
    if (args_.window == 0 || keys.end - 1 + args_.window >= first + queries_ / group_) {
      return {begin, queries_};
    }
    return {begin, (keys.end - 1 + args_.window - first) * group_};
  }

  /// Rows of keys and values are codes that are worth Scale(row) each.
  static constexpr bool kScaled = std::is_same_v<T, int8_t>;
  const T* Key(size_t position) const { return keys_ + position * args_.cache_row; }
  const T* Value(size_t position) const { return values_ + position * args_.cache_row; }
  /// So many rows on are the keys and values of the next head, unless it is the last.
  size_t cache_positions() const { return args_.cache_positions; }
  size_t row_length() const { return args_.cache_row; }
  float Scale(const T* row) const {
    float scale = 1;
    if constexpr (kScaled) __builtin_memcpy(&scale, row + args_.head_size, sizeof(scale));
    return scale;
  }
  /// kLanes numbers of a row from the j-th on.
  F Numbers(const T* row, size_t j) const {
    const F loaded = LoadAsFloat<V>(row + j);
    if constexpr (!kScaled) return loaded;
    return V::Mul(loaded, V::SetF(Scale(row)));
  }

  /// Writes results · 1 / sum.
  void StoreResult(size_t query, const float* result, float sum) const {
    float* y = Result(query);
    const F factor = V::SetF(1.0f / sum);
    for (size_t i = 0; i < args_.head_size; i += kLanes) {
      V::StoreF(y + i, V::Mul(V::LoadF(result + i), factor));
    }
  }

 private:
  const AttentionArgs& args_;
  size_t group_;
  size_t queries_;
  const T* keys_;
  const T* values_;
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_ATTENTION_TASK_H_
