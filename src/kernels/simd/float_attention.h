// The products of attention of prompts in floats.
#ifndef LITERTLM_KERNELS_SIMD_FLOAT_ATTENTION_H_
#define LITERTLM_KERNELS_SIMD_FLOAT_ATTENTION_H_

#include <type_traits>

#include "kernels/simd/attention_task.h"
#include "kernels/simd/pack.h"

namespace litertlm {

/// What PromptAttention takes as Products. Queries, keys and values of a block are arranged first,
/// then multiplied, a tile of queries after the other.
template <typename V, typename T>
class FloatAttention {
  using F = typename V::F;
  static constexpr size_t kLanes = V::kLanes;

 public:
  /// Keys whose weights are next to each other for AddValues.
  static constexpr size_t kKeysOfStep = 1;

  /// For `columns` queries and blocks of `keys`.
  static size_t ScratchFloats(size_t columns, size_t keys, size_t head_size) {
    return (columns + 2 * keys) * head_size;
  }

  FloatAttention(const AttentionTask<V, T>& task, size_t columns, size_t keys, float* scratch)
      : task_(task),
        size_(task.head_size()),
        columns_(columns),
        q_(scratch),
        key_rows_(q_ + columns * size_),
        value_rows_(key_rows_ + keys * size_) {}

  /// The queries rows[0], …, times `scale`, become the columns `column` … of scores.
  void LoadQueries(const float* const (&rows)[kLanes], float scale, size_t column) {
    const F factor = V::SetF(scale);
    for (size_t j = 0; j < size_; j += kLanes) {
      const auto load = [&](size_t i) { return V::AsInt(V::Mul(V::LoadF(rows[i] + j), factor)); };
      PackBlock<V>(load, q_ + j * columns_ + column, columns_ * sizeof(float));
    }
  }

  void LoadKeys(Range keys) {
    const auto key = [&](size_t n) { return task_.Key(keys.begin + n); };
    keys_ = Floats(key, keys.end - keys.begin, key_rows_);
  }

  /// scores[k, column] = key k · query column, for the first `count` keys.
  void Score(size_t count, Range columns, float* scores) const {
    const FloatProduct<V, float> product{.x = keys_,
                                         .x_stride = size_,
                                         .x_step = 1,
                                         .w = q_ + columns.begin,
                                         .w_step = columns_,
                                         .steps = size_,
                                         .y = scores + columns.begin,
                                         .y_stride = columns_,
                                         .add = false};
    product.Run(count, columns.end - columns.begin);
  }

  /// `scores` have become weights, of which `largest` and `sum` are known.
  void CodeWeights(float* /*scores*/, size_t /*column*/, size_t /*count*/, F /*largest*/,
                   F /*sum*/) {}

  void LoadValues(Range keys) {
    const auto value = [&](size_t n) { return task_.Value(keys.begin + n); };
    values_ = Floats(value, keys.end - keys.begin, value_rows_);
  }

  /// results[query, :] = or += weights[:, query] · values, of the first `steps` keys.
  void AddValues(Range queries, size_t steps, const float* weights, float* results,
                 bool add) const {
    const FloatProduct<V, float> product{.x = weights + queries.begin,
                                         .x_stride = 1,
                                         .x_step = columns_,
                                         .w = values_,
                                         .w_step = size_,
                                         .steps = steps,
                                         .y = results + queries.begin * size_,
                                         .y_stride = size_,
                                         .add = add};
    product.Run(queries.end - queries.begin, size_);
  }

 private:
  /// `count` rows of the cache as floats, in place or widened into `memory`.
  template <typename RowAt>
  const float* Floats(const RowAt& row, size_t count, float* memory) const {
    if constexpr (std::is_same_v<T, float>) {
      return row(0);
    } else {
      for (size_t n = 0; n < count; ++n) {
        for (size_t j = 0; j < size_; j += kLanes) {
          V::StoreF(memory + n * size_ + j, task_.Numbers(row(n), j));
        }
      }
      return memory;
    }
  }

  const AttentionTask<V, T>& task_;
  size_t size_;
  size_t columns_;
  float* q_;                       ///< [size, columns], scaled
  float* key_rows_;                ///< [keys, size]
  float* value_rows_;              ///< [keys, size]
  const float* keys_ = nullptr;    ///< [keys, size]
  const float* values_ = nullptr;  ///< [keys, size]
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_FLOAT_ATTENTION_H_
