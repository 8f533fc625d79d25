// Attention of many queries, which is limited by arithmetic. Queries are the lanes: a vector holds
// the scores of kLanes queries for one key, so that highest scores and sums of exponentials are
// found lane by lane, and the keys are taken as they lie. Scores are logarithms to the base 2,
// whose powers take fewer instructions.
#ifndef LITERTLM_KERNELS_SIMD_PROMPT_ATTENTION_H_
#define LITERTLM_KERNELS_SIMD_PROMPT_ATTENTION_H_

#include <type_traits>

#include "kernels/simd/attention_task.h"
#include "kernels/simd/float_attention.h"
#include "kernels/simd/math.h"
#include "kernels/simd/rows.h"
#include "kernels/simd/word_attention.h"

namespace litertlm {

/// Goes through blocks of keys, with what the softmax needs; FloatAttention or WordAttention hold
/// queries, keys and values and multiply them.
template <typename V, typename T>
class PromptAttention {
  using F = typename V::F;
  using Products = std::conditional_t<MultipliesWords<V> && !std::is_same_v<T, float>,
                                      WordAttention<V, T>, FloatAttention<V, T>>;
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
    return columns * (kKeys + 2) + queries * head_size +
           Products::ScratchFloats(columns, kKeys, head_size);
  }

  PromptAttention(const AttentionTask<V, T>& task, float* scratch)
      : task_(task),
        size_(task.head_size()),
        queries_(task.queries()),
        columns_(Columns(queries_)),
        scores_(scratch),
        highest_(scores_ + columns_ * kKeys),
        sums_(highest_ + columns_),
        results_(sums_ + columns_),
        products_(task, columns_, kKeys, results_ + queries_ * size_) {}

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
    for (size_t column = 0; column < columns_; column += kLanes) {
      const float* rows[kLanes];
      for (size_t i = 0; i < kLanes; ++i) rows[i] = QueryOrLast(column + i);
      products_.LoadQueries(rows, task_.scale() * kLog2OfE, column);
      V::StoreF(highest_ + column, V::SetF(kUnseen));
      V::StoreF(sums_ + column, V::ZeroF());
    }
  }

  const float* QueryOrLast(size_t query) const {
    return task_.Query(query < queries_ ? query : queries_ - 1);
  }

  void AddKeys(Range keys) {
    const Range queries = task_.QueriesSeeing(keys);
    products_.LoadKeys(keys);
    for (size_t n = queries.begin / kColumns * kColumns; n < queries.end; n += kColumns) {
      const Range columns{n, columns_ - n < kColumns ? columns_ : n + kColumns};
      const size_t seen = SeenBy(LastQuery(columns), keys);
      products_.Score(seen, columns, scores_);
      MaskUnseen(columns, {keys.begin, keys.begin + seen});
      for (size_t i = columns.begin; i < columns.end; i += kLanes) Exponentiate(i, seen);
      // Tiles of results take queries of these columns and of the next, which see more.
      ClearScores(columns, {Steps(seen), Steps(keys.end - keys.begin)});
    }
    products_.LoadValues(keys);
    AddValues(queries, keys);
    if (empty_ && queries.end < queries_) {
      for (size_t i = queries.end * size_; i < queries_ * size_; i += kLanes) {
        V::StoreF(results_ + i, V::ZeroF());
      }
    }
    empty_ = false;
  }

  /// Rows of weights that so many keys take.
  static size_t Steps(size_t keys) {
    return (keys + Products::kKeysOfStep - 1) / Products::kKeysOfStep;
  }

  void AddValues(Range queries, Range keys) {
    for (size_t query = queries.begin; query < queries.end; query += V::kTileRows) {
      const size_t end = query + V::kTileRows < queries.end ? query + V::kTileRows : queries.end;
      products_.AddValues({query, end}, Steps(SeenBy(end - 1, keys)), scores_, results_, !empty_);
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

  /// Turns the scores of kLanes queries with `count` keys into powers of 2, and codes them.
  void Exponentiate(size_t column, size_t count) {
    float* scores = scores_ + column;
    F highest = V::SetF(kUnseen);
    F other = highest;
    size_t key = 0;
    for (; key + 2 <= count; key += 2) {
      highest = V::Max(V::LoadF(scores + key * columns_), highest);
      other = V::Max(V::LoadF(scores + (key + 1) * columns_), other);
    }
    if (key < count) highest = V::Max(V::LoadF(scores + key * columns_), highest);
    highest = V::Max(highest, other);
    F base = V::LoadF(highest_ + column);
    F before = V::LoadF(sums_ + column);
    if (V::ReduceMax(V::Sub(highest, base)) > kHeadroom) {
      const F factors = Exp2<V>(V::Sub(base, V::Max(highest, base)));
      base = V::Max(highest, base);
      before = V::Mul(before, factors);
      V::StoreF(highest_ + column, base);
      if (!empty_) ScaleResults(column, factors);
    }
    F sum = V::ZeroF();
    for (key = 0; key < count; ++key) {
      const F e = Exp2<V>(V::Sub(V::LoadF(scores + key * columns_), base));
      V::StoreF(scores + key * columns_, e);
      sum = V::Add(sum, e);
    }
    V::StoreF(sums_ + column, V::Add(before, sum));
    products_.CodeWeights(scores_, column, count, Exp2<V>(V::Sub(highest, base)), sum);
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
  size_t columns_;  ///< queries_ up to the next multiple of kLanes.
  float* scores_;   ///< [kKeys, columns]
  float* highest_;  ///< [columns], what results are scaled to
  float* sums_;     ///< [columns], of powers
  float* results_;  ///< [queries, size]
  Products products_;
  bool empty_ = true;  ///< No block has been added to the results.
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_PROMPT_ATTENTION_H_
