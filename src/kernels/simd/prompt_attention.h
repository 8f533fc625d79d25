// Attention of many queries, which is limited by arithmetic. Queries are the lanes: a vector holds
// the scores of kLanes queries for one key, so that highest scores and sums of exponentials are
// found lane by lane, and the keys are taken as they lie. Scores are logarithms to the base 2,
// whose powers take fewer instructions.
#ifndef LITERTLM_KERNELS_SIMD_PROMPT_ATTENTION_H_
#define LITERTLM_KERNELS_SIMD_PROMPT_ATTENTION_H_

#include <type_traits>

#include "kernels/simd/attention_task.h"
#include "kernels/simd/pack.h"
#include "kernels/simd/rows.h"

namespace litertlm {

template <typename V, typename T>
class PromptAttention {
  using F = typename V::F;
  using I = typename V::I;
  static constexpr size_t kLanes = V::kLanes;
  static constexpr size_t kColumns = V::kVectors * kLanes;  ///< Queries of a tile of scores.
  static constexpr size_t kKeys = V::kTileRows * 6;         ///< Of a block.
  /// The score of a key that a query does not see; finite, so that differences are no NaN.
  static constexpr float kUnseen = -3.0e38f;
  /// How far scores may exceed the highest that results are scaled to: powers up to 2^11 leave sums
  /// of floats as exact, and scores that grow by little scale nothing.
  static constexpr float kHeadroom = 11;
  static constexpr float kLog2OfE = 1.44269504f;

 public:
  static constexpr size_t kQueries = V::kTileRows * 8;
  static size_t ScratchFloats(size_t queries, size_t head_size) {
    const size_t columns = Columns(queries);
    return columns * (head_size + kKeys + 2) + (queries + 2 * kKeys) * head_size;
  }

  PromptAttention(const AttentionTask<V, T>& task, float* scratch)
      : task_(task),
        size_(task.head_size()),
        queries_(task.queries()),
        columns_(Columns(queries_)) {
    q_ = scratch;
    scores_ = q_ + columns_ * size_;
    highest_ = scores_ + columns_ * kKeys;
    sums_ = highest_ + columns_;
    results_ = sums_ + columns_;
    key_rows_ = results_ + queries_ * size_;
    value_rows_ = key_rows_ + kKeys * size_;
  }

  void Run() {
    LoadQueries();
    const Range visible = task_.Visible();
    for (size_t key = visible.begin; key < visible.end; key += kKeys) {
      AddKeys({key, visible.end - key < kKeys ? visible.end : key + kKeys});
    }
    for (size_t query = 0; query < queries_; ++query) {
      task_.StoreResult(query, results_ + query * size_, sums_[query]);
    }
  }

 private:
  static size_t Columns(size_t queries) { return (queries + kLanes - 1) / kLanes * kLanes; }

  void LoadQueries() {
    const F scale = V::SetF(task_.scale() * kLog2OfE);
    for (size_t query = 0; query < columns_; query += kLanes) {
      const float* rows[kLanes];
      for (size_t i = 0; i < kLanes; ++i) {
        rows[i] = QueryOrLast(query + i);
        AskFor(QueryOrLast(query + kLanes + i));
      }
      for (size_t j = 0; j < size_; j += kLanes) {
        const auto load = [&](size_t i) { return V::AsInt(V::Mul(V::LoadF(rows[i] + j), scale)); };
        PackBlock<V>(load, q_ + j * columns_ + query, columns_ * sizeof(float));
      }
      V::StoreF(highest_ + query, V::SetF(kUnseen));
      V::StoreF(sums_ + query, V::ZeroF());
    }
  }

  const float* QueryOrLast(size_t query) const {
    return task_.Query(query < queries_ ? query : queries_ - 1);
  }

  /// Queries are too short and too far apart for the hardware to see streams.
  void AskFor(const float* query) const {
    constexpr size_t kLine = 64 / sizeof(float);
    for (size_t i = 0; i < size_; i += kLine) __builtin_prefetch(query + i);
  }

  void AddKeys(Range keys) {
    const Range queries = task_.QueriesSeeing(keys);
    const FloatRows key_rows = KeyRows(keys);
    for (size_t n = queries.begin / kColumns * kColumns; n < queries.end; n += kColumns) {
      const Range columns{n, columns_ - n < kColumns ? columns_ : n + kColumns};
      const size_t seen = SeenBy(LastQuery(columns), keys);
      Score(key_rows, seen, columns);
      MaskUnseen(columns, {keys.begin, keys.begin + seen});
      for (size_t i = columns.begin; i < columns.end; i += kLanes) Exponentiate(i, seen);
      // Tiles of results take queries of these columns and of the next, which see more.
      ClearScores(columns, {seen, keys.end - keys.begin});
    }
    AddValues(ValueRows(keys), queries, keys);
    if (empty_ && queries.end < queries_) {
      for (size_t i = queries.end * size_; i < queries_ * size_; i += kLanes) {
        V::StoreF(results_ + i, V::ZeroF());
      }
    }
    empty_ = false;
  }

  struct FloatRows {
    const float* first;
    size_t stride;
  };
  FloatRows KeyRows(Range keys) const {
    if constexpr (std::is_same_v<T, float>) {
      return {task_.Key(keys.begin), task_.key_stride()};
    } else {
      task_.CopyKeys(keys, key_rows_);
      return {key_rows_, size_};
    }
  }
  FloatRows ValueRows(Range keys) const {
    if constexpr (std::is_same_v<T, float>) {
      if (!task_.values_transposed()) return {task_.Value(keys.begin), task_.value_stride()};
    }
    task_.CopyValues(keys, value_rows_);
    return {value_rows_, size_};
  }

  void Score(const FloatRows& keys, size_t count, Range columns) {
    const FloatProduct<V, float> product{.x = keys.first,
                                         .x_stride = keys.stride,
                                         .x_step = 1,
                                         .w = q_ + columns.begin,
                                         .w_step = columns_,
                                         .steps = size_,
                                         .y = scores_ + columns.begin,
                                         .y_stride = columns_,
                                         .add = false};
    product.Run(count, columns.end - columns.begin);
  }

  void AddValues(const FloatRows& values, Range queries, Range keys) {
    for (size_t query = queries.begin; query < queries.end; query += V::kTileRows) {
      const size_t end = query + V::kTileRows < queries.end ? query + V::kTileRows : queries.end;
      const FloatProduct<V, float> product{.x = scores_ + query,
                                           .x_stride = 1,
                                           .x_step = columns_,
                                           .w = values.first,
                                           .w_step = values.stride,
                                           .steps = SeenBy(end - 1, keys),
                                           .y = results_ + query * size_,
                                           .y_stride = size_,
                                           .add = !empty_};
      product.Run(end - query, size_);
    }
  }

  size_t LastQuery(Range columns) const {
    return (columns.end < queries_ ? columns.end : queries_) - 1;
  }

  /// How many of `keys` are not behind the position of `query`.
  size_t SeenBy(size_t query, Range keys) const {
    const size_t end = task_.VisibleTo(query).end;
    return (end < keys.end ? end : keys.end) - keys.begin;
  }

  void MaskUnseen(Range columns, Range keys) {
    if (task_.VisibleTo(columns.begin).end >= keys.end &&
        task_.VisibleTo(LastQuery(columns)).begin <= keys.begin) {
      return;
    }
    for (size_t key = keys.begin; key < keys.end; ++key) {
      const Range seeing = task_.QueriesSeeing({key, key + 1});
      float* scores = scores_ + (key - keys.begin) * columns_;
      for (size_t i = columns.begin; i < columns.end && i < seeing.begin; ++i) scores[i] = kUnseen;
      for (size_t i = seeing.end > columns.begin ? seeing.end : columns.begin; i < columns.end;
           ++i) {
        scores[i] = kUnseen;
      }
    }
  }

  void ClearScores(Range columns, Range rows) {
    for (size_t row = rows.begin; row < rows.end; ++row) {
      for (size_t i = columns.begin; i < columns.end; i += kLanes) {
        V::StoreF(scores_ + row * columns_ + i, V::ZeroF());
      }
    }
  }

  /// Turns the scores of kLanes queries with `count` keys into powers of 2.
  void Exponentiate(size_t column, size_t count) {
    float* scores = scores_ + column;
    const F before = V::LoadF(highest_ + column);
    F highest = before;
    F other = before;
    size_t key = 0;
    for (; key + 2 <= count; key += 2) {
      highest = V::Max(V::LoadF(scores + key * columns_), highest);
      other = V::Max(V::LoadF(scores + (key + 1) * columns_), other);
    }
    if (key < count) highest = V::Max(V::LoadF(scores + key * columns_), highest);
    highest = V::Max(highest, other);
    F sum = V::LoadF(sums_ + column);
    if (V::ReduceMax(V::Sub(highest, before)) > kHeadroom) {
      const F factors = Exp2<V>(V::Sub(before, highest));
      sum = V::Mul(sum, factors);
      V::StoreF(highest_ + column, highest);
      if (!empty_) ScaleResults(column, factors);
    } else {
      highest = before;
    }
    for (key = 0; key < count; ++key) {
      const F e = Exp2<V>(V::Sub(V::LoadF(scores + key * columns_), highest));
      V::StoreF(scores + key * columns_, e);
      sum = V::Add(sum, e);
    }
    V::StoreF(sums_ + column, sum);
  }

  void ScaleResults(size_t query, F factors) {
    float each[kLanes];
    V::StoreF(each, factors);
    for (size_t i = 0; i < kLanes && query + i < queries_; ++i) {
      RowKernels<V>::ScaleRow(each[i], results_ + (query + i) * size_, size_);
    }
  }

  const AttentionTask<V, T>& task_;
  size_t size_;
  size_t queries_;
  size_t columns_;     ///< queries_ up to the next multiple of kLanes.
  float* q_;           ///< [size, columns], scaled
  float* scores_;      ///< [kKeys, columns]
  float* highest_;     ///< [columns]
  float* sums_;        ///< [columns], of powers
  float* results_;     ///< [queries, size]
  float* key_rows_;    ///< [kKeys, size]
  float* value_rows_;  ///< [kKeys, size]
  bool empty_ = true;  ///< No block has been added to the results.
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_PROMPT_ATTENTION_H_
