// Attention of few queries, which waits for keys and values: each is read once, as it lies.
#ifndef LITERTLM_KERNELS_SIMD_REPLY_ATTENTION_H_
#define LITERTLM_KERNELS_SIMD_REPLY_ATTENTION_H_

#include "kernels/simd/attention_task.h"
#include "kernels/simd/read_ahead.h"
#include "kernels/simd/rows.h"

namespace litertlm {

template <typename V, typename T>
class ReplyAttention {
  using F = typename V::F;
  using I = typename V::I;
  static constexpr size_t kLanes = V::kLanes;
  static constexpr size_t kKeys = 64;  ///< Of a block.
  static constexpr bool kScaled = AttentionTask<V, T>::kScaled;

 public:
  /// With more it is cheaper to rearrange queries than to add up along the head.
  static constexpr size_t kQueries = 8;
  static size_t ScratchFloats(size_t head_size) { return kQueries * (2 * head_size + kKeys + 2); }

  ReplyAttention(const AttentionTask<V, T>& task, float* scratch)
      : task_(task), size_(task.head_size()), queries_(task.queries()), visible_(task.Visible()) {
    q_ = scratch;
    results_ = q_ + kQueries * size_;
    scores_ = results_ + kQueries * size_;
    highest_ = scores_ + kQueries * kKeys;
    sums_ = highest_ + kQueries;
    rows_ahead_ = kBytesAhead / (task_.row_length() * sizeof(T));
  }

  void Run() {
    LoadQueries();
    for (size_t key = visible_.begin; key < visible_.end; key += kKeys) {
      AddKeys({key, visible_.end - key < kKeys ? visible_.end : key + kKeys});
    }
    for (size_t query = 0; query < queries_; ++query) {
      task_.StoreResult(query, results_ + query * size_, sums_[query]);
    }
  }

 private:
  void LoadQueries() {
    const F scale = V::SetF(task_.scale());
    for (size_t query = 0; query < queries_; ++query) {
      const float* q = task_.Query(query);
      for (size_t i = 0; i < size_; i += kLanes) {
        V::StoreF(q_ + query * size_ + i, V::Mul(V::LoadF(q + i), scale));
        V::StoreF(results_ + query * size_ + i, V::ZeroF());
      }
      highest_[query] = -__builtin_inff();
      sums_[query] = 0;
    }
  }

  void AddKeys(Range keys) {
    const Range queries = task_.QueriesSeeing(keys);
    size_t query = queries.begin;
    for (; query + 2 <= queries.end; query += 2) Score<2>(query, keys);
    if (query < queries.end) Score<1>(query, keys);
    for (query = queries.begin; query < queries.end; ++query) Exponentiate(query, keys);
    if constexpr (kScaled) ScaleWeights(queries, keys);
    AddValues(queries, keys);
  }

  /// The key to ask for when that of a position is read; at the end of a head the first ones of the
  /// next, which the thread takes next.
  const T* KeyAhead(size_t position) const {
    const size_t ahead = position + rows_ahead_;
    if (ahead < visible_.end) return task_.Key(ahead);
    return task_.Key(visible_.begin + (ahead - visible_.end) + task_.cache_positions());
  }

  /// Scores of kTogether queries: kLanes keys at a time, each read and widened once, products added
  /// up lane by lane, then across. Further keys are asked for, and the block's values.
  template <size_t kTogether>
  void Score(size_t query, Range keys) {
    const float* q = q_ + query * size_;
    float* scores = scores_ + query * kKeys;
    for (size_t key = keys.begin; key < keys.end; key += kLanes) {
      I sums[kTogether][kLanes];
      float scales[kLanes];
      // One loop for all keys, as in StreamOutputs.
#pragma GCC unroll 1
      for (size_t i = 0; i < kLanes; ++i) {
        const size_t position = key + i < keys.end ? key + i : keys.end - 1;
        const T* k = task_.Key(position);
        const T* value = task_.Value(position);
        const T* ahead = KeyAhead(position);
        if constexpr (kScaled) scales[i] = task_.Scale(k);
        F sum[kTogether];
#pragma GCC unroll 2
        for (size_t n = 0; n < kTogether; ++n) sum[n] = V::ZeroF();
        for (size_t j = 0; j < size_; j += kLanes) {
          const F loaded = LoadAsFloat<V>(k + j);
          if (j % (64 / sizeof(T)) == 0) {
            __builtin_prefetch(ahead + j);
            __builtin_prefetch(value + j);
          }
#pragma GCC unroll 2
          for (size_t n = 0; n < kTogether; ++n) {
            sum[n] = V::MulAdd(V::LoadF(q + n * size_ + j), loaded, sum[n]);
          }
        }
#pragma GCC unroll 2
        for (size_t n = 0; n < kTogether; ++n) sums[n][i] = V::AsInt(sum[n]);
      }
#pragma GCC unroll 2
      for (size_t n = 0; n < kTogether; ++n) {
        V::Transpose(sums[n]);
        F total = V::AsFloat(sums[n][0]);
#pragma GCC unroll 16
        for (size_t i = 1; i < kLanes; ++i) total = V::Add(total, V::AsFloat(sums[n][i]));
        if constexpr (kScaled) total = V::Mul(total, V::LoadF(scales));
        V::StoreF(scores + n * kKeys + (key - keys.begin), total);
      }
    }
  }

  /// Turns scores into exponentials, 0 for keys that the query does not see.
  void Exponentiate(size_t query, Range keys) {
    const Range seen = task_.VisibleTo(query);
    const size_t begin = seen.begin > keys.begin ? seen.begin : keys.begin;
    const size_t end = seen.end < keys.end ? seen.end : keys.end;
    float* scores = scores_ + query * kKeys;
    if (begin >= end) return Clear(scores, 0, keys.end - keys.begin);
    float* first = scores + (begin - keys.begin);
    const float highest = RowKernels<V>::Max(first, end - begin);
    if (highest > highest_[query]) {
      const float factor = V::First(Exp<V>(V::SetF(highest_[query] - highest)));
      RowKernels<V>::ScaleRow(factor, results_ + query * size_, size_);
      sums_[query] *= factor;
      highest_[query] = highest;
    }
    sums_[query] += RowKernels<V>::ExpRow(first, first, end - begin, 1.0f, highest_[query]);
    Clear(scores, 0, begin - keys.begin);
    Clear(scores, end - keys.begin, keys.end - keys.begin);
  }

  static void Clear(float* scores, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) scores[i] = 0;
  }

  /// A weight times the scale of a value is what its codes are multiplied with.
  void ScaleWeights(Range queries, Range keys) {
    float scales[kKeys];
    for (size_t key = keys.begin; key < keys.end; ++key) {
      scales[key - keys.begin] = task_.Scale(task_.Value(key));
    }
    for (size_t query = queries.begin; query < queries.end; ++query) {
      float* weights = scores_ + query * kKeys;
      MapRow<V>([](F weight, F scale) { return V::Mul(weight, scale); }, weights,
                keys.end - keys.begin, static_cast<const float*>(weights),
                static_cast<const float*>(scales));
    }
  }

  void AddValues(Range queries, Range keys) {
    const FloatProduct<V, T, /*kStreamed=*/true> product{.x = scores_ + queries.begin * kKeys,
                                                         .x_stride = kKeys,
                                                         .x_step = 1,
                                                         .w = task_.Value(keys.begin),
                                                         .w_step = task_.row_length(),
                                                         .steps = keys.end - keys.begin,
                                                         .y = results_ + queries.begin * size_,
                                                         .y_stride = size_,
                                                         .add = true};
    product.Run(queries.end - queries.begin, size_);
  }

  const AttentionTask<V, T>& task_;
  size_t size_;
  size_t queries_;
  Range visible_;
  size_t rows_ahead_;
  float* q_;        ///< [kQueries, size], scaled
  float* results_;  ///< [kQueries, size]
  float* scores_;   ///< [kQueries, kKeys]
  float* highest_;  ///< [kQueries]
  float* sums_;     ///< [kQueries], of exponentials
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_REPLY_ATTENTION_H_
