// The products of attention of prompts in words of 16 bits, two products of which an instruction
// takes where it takes one of floats.
//
// Each row of numbers x is coded as round(x / factor). Queries and keys are coded as finely as
// words and sums of 32 bits allow: no sum of products exceeds the product of the norms (Cauchy and
// Schwarz), so that a norm may be 46300, whatever the size of a head. That is as fine as f16, which
// keys and values come in: the error is of the size of that which the cache has made before.
#ifndef LITERTLM_KERNELS_SIMD_WORD_ATTENTION_H_
#define LITERTLM_KERNELS_SIMD_WORD_ATTENTION_H_

#include <cmath>

#include "kernels/simd/attention_task.h"
#include "kernels/simd/pack.h"
#include "kernels/simd/word_tile.h"

namespace litertlm {

/// What PromptAttention takes as Products, see FloatAttention; for caches in f16 or int8.
template <typename V, typename T>
class WordAttention {
  using F = typename V::F;
  using I = typename V::I;
  using Task = AttentionTask<V, T>;
  static constexpr size_t kLanes = V::kLanes;
  static constexpr float kLargest = 32767;
  static constexpr float kNorm = 46300;  ///< 46340² is 2^31; rounding adds sqrt(size) / 2 to it.
  /// Values are coded up to this, and the weights of a query so that their codes add up to no more
  /// than kWeights: 16383 * 131000 and what rounding a hundred weights adds is less than 2^31.
  static constexpr float kLargestValue = 16383;
  static constexpr float kWeights = 131000;

 public:
  static constexpr size_t kKeysOfStep = 2;

  static size_t ScratchFloats(size_t columns, size_t keys, size_t head_size) {
    return columns * (Pairs(head_size) + 2) + keys * (Pairs(head_size) + 1) +
           (keys + 1) / 2 * head_size + head_size;
  }

  WordAttention(const Task& task, size_t columns, size_t keys, float* scratch)
      : task_(task), size_(task.head_size()), pairs_(Pairs(size_)), columns_(columns) {
    q_ = reinterpret_cast<int32_t*>(scratch);
    query_factors_ = scratch + columns * pairs_;
    weight_factors_ = query_factors_ + columns;
    keys_ = reinterpret_cast<int32_t*>(weight_factors_ + columns);
    key_factors_ = weight_factors_ + columns + keys * pairs_;
    values_ = reinterpret_cast<int32_t*>(key_factors_ + keys);
    value_factors_ = key_factors_ + keys + (keys + 1) / 2 * size_;
  }

  void LoadQueries(const float* const (&rows)[kLanes], float scale, size_t column) {
    F inverses[kLanes];
    for (size_t i = 0; i < kLanes; ++i) {
      const float factor = Factor([&](size_t j) { return V::LoadF(rows[i] + j); });
      inverses[i] = V::SetF(1 / factor);
      query_factors_[column + i] = factor * scale;
    }
    for (size_t j = 0; j < pairs_; j += kLanes) {
      const auto load = [&](size_t i) {
        return Code([&](size_t n) { return V::LoadF(rows[i] + n); }, 2 * j, inverses[i]);
      };
      PackBlock<V>(load, q_ + j * columns_ + column, columns_ * sizeof(int32_t));
    }
  }

  void LoadKeys(Range keys) {
    for (size_t key = keys.begin; key < keys.end; ++key) {
      const auto load = [&](size_t j) { return task_.Numbers(task_.Key(key), j); };
      const float factor = Factor(load);
      const F inverse = V::SetF(1 / factor);
      int32_t* to = keys_ + (key - keys.begin) * pairs_;
      for (size_t j = 0; j < pairs_; j += kLanes) V::Store(to + j, Code(load, 2 * j, inverse));
      key_factors_[key - keys.begin] = factor;
    }
  }

  void Score(size_t count, Range columns, float* scores) const {
    const WordProduct<V> product{.x = keys_,
                                 .x_stride = pairs_,
                                 .x_step = 1,
                                 .x_factors = key_factors_,
                                 .w = q_ + columns.begin,
                                 .w_step = columns_,
                                 .w_factors = query_factors_ + columns.begin,
                                 .steps = pairs_,
                                 .y = scores + columns.begin,
                                 .y_stride = columns_,
                                 .add = false};
    product.Run(count, columns.end - columns.begin);
  }

  /// Weights of two keys become words next to each other, in the row of half the number.
  void CodeWeights(float* scores, size_t column, size_t count, F largest, F sum) {
    const F by_largest = V::Mul(largest, V::SetF(1 / kLargest));
    const F by_sum = V::Mul(sum, V::SetF(1 / kWeights));
    const F least = V::SetF(1e-30f);  // For queries that see none of these keys.
    const F factor = V::Max(V::Max(by_largest, by_sum), least);
    const F inverse = V::Div(V::SetF(1), factor);
    V::StoreF(weight_factors_ + column, factor);
    const auto code = [&](size_t key) {
      return V::Round(V::Mul(V::LoadF(scores + key * columns_ + column), inverse));
    };
    float* to = scores + column;
    size_t key = 0;
    for (; key + 2 <= count; key += 2, to += columns_) {
      V::Store(to, V::PairWords(code(key), code(key + 1)));
    }
    if (key < count) V::Store(to, V::PairWords(code(key), V::Zero()));
  }

  void LoadValues(Range keys) {
    const size_t count = keys.end - keys.begin;
    CodeValues(count, [&](size_t key, size_t j) {
      return task_.Numbers(task_.Value(keys.begin + key), j);
    });
  }

  void AddValues(Range queries, size_t steps, const float* weights, float* results,
                 bool add) const {
    const WordProduct<V> product{.x = reinterpret_cast<const int32_t*>(weights) + queries.begin,
                                 .x_stride = 1,
                                 .x_step = columns_,
                                 .x_factors = weight_factors_ + queries.begin,
                                 .w = values_,
                                 .w_step = size_,
                                 .w_factors = value_factors_,
                                 .steps = steps,
                                 .y = results + queries.begin * size_,
                                 .y_stride = size_,
                                 .add = add};
    product.Run(queries.end - queries.begin, size_);
  }

 private:
  static size_t Pairs(size_t head_size) {
    return (head_size + 2 * kLanes - 1) / (2 * kLanes) * kLanes;
  }

  static F Magnitude(F v) { return V::AsFloat(V::And(V::AsInt(v), V::Set32(0x7fffffff))); }

  /// Each column of values has a factor of its own.
  template <typename Load>
  void CodeValues(size_t count, const Load& load) {
    for (size_t j = 0; j < size_; j += kLanes) {
      F largest = V::SetF(1e-30f);
      for (size_t key = 0; key < count; ++key) largest = V::Max(Magnitude(load(key, j)), largest);
      V::StoreF(value_factors_ + j, V::Mul(largest, V::SetF(1 / kLargestValue)));
      const F inverse = V::Div(V::SetF(kLargestValue), largest);
      const auto code = [&](size_t key) { return V::Round(V::Mul(load(key, j), inverse)); };
      int32_t* to = values_ + j;
      size_t key = 0;
      for (; key + 2 <= count; key += 2, to += size_) {
        V::Store(to, V::PairWords(code(key), code(key + 1)));
      }
      if (key < count) V::Store(to, V::PairWords(code(key), V::Zero()));
    }
  }

  template <typename Load>
  float Factor(const Load& load) const {
    F squares = V::ZeroF();
    F largest = V::SetF(1e-30f);
    for (size_t j = 0; j < size_; j += kLanes) {
      squares = V::MulAdd(load(j), load(j), squares);
      largest = V::Max(Magnitude(load(j)), largest);
    }
    const float by_norm = std::sqrt(V::ReduceAdd(squares)) * (1 / kNorm);
    const float by_largest = V::ReduceMax(largest) * (1 / kLargest);
    return by_largest > by_norm ? by_largest : by_norm;  // NaN stays NaN.
  }

  /// The vectors at `j` and after it, coded; each number has that of the other vector beside it.
  template <typename Load>
  [[gnu::always_inline]] I Code(const Load& load, size_t j, F inverse) const {
    const auto code = [&](size_t at) { return V::Round(V::Mul(load(at), inverse)); };
    return V::PairWords(code(j), j + kLanes < size_ ? code(j + kLanes) : V::Zero());
  }

  const Task& task_;
  size_t size_;
  size_t pairs_;  ///< Of numbers of a head, up to a multiple of kLanes.
  size_t columns_;
  int32_t* q_;             ///< [pairs, columns]
  float* query_factors_;   ///< [columns]
  float* weight_factors_;  ///< [columns]
  int32_t* keys_;          ///< [keys, pairs]
  float* key_factors_;     ///< [keys]
  int32_t* values_;        ///< [keys / 2, size]
  float* value_factors_;   ///< [size]
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_WORD_ATTENTION_H_
