// Attention by blocks of keys, with the softmax carried along (Milakov and Gimelshein, "Online
// normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022).
//
// The query vectors of some rows and all heads of a group stand below each other: they share keys
// and values. For each block of keys: scores = queries · keysᵀ; each query's scores become
// exp(score - highest so far); results so far are scaled down to the new highest; results += those
// · values. At the end each result is divided by the sum of its exponentials.
#ifndef LITERTLM_KERNELS_SIMD_ATTENTION_H_
#define LITERTLM_KERNELS_SIMD_ATTENTION_H_

#include <type_traits>

#include "kernels/attention.h"
#include "kernels/kernel_table.h"
#include "kernels/simd/float_tile.h"
#include "kernels/simd/rows.h"

namespace litertlm {

/// T is the type of the cache: float, or uint16_t for f16. The head size is a multiple of
/// V::kLanes.
template <typename V, typename T>
class AttentionBlock {
  using F = typename V::F;
  using I = typename V::I;
  static constexpr size_t kLanes = V::kLanes;
  static constexpr size_t kVectors = V::kVectors;
  static constexpr size_t kTileRows = V::kTileRows;
  static constexpr bool kManyRegisters = kVectors * kTileRows >= 24;
  static constexpr size_t kKeys = 64;  ///< Of a block.
  /// With fewer queries it is cheaper to add up along the head than to rearrange the keys.
  static constexpr size_t kFewQueries = 8;

 public:
  static constexpr size_t kQueries = kTileRows * 8;

  static size_t ScratchBytes(const AttentionArgs& args) {
    const size_t group = args.heads / args.kv_heads;
    const size_t queries = group > kQueries ? group : kQueries;
    return sizeof(float) *
           (queries * (2 * args.head_size + kKeys + 2) + 2 * kKeys * args.head_size);
  }

  static void Run(const AttentionArgs& args, size_t kv_head, Range rows, std::byte* scratch) {
    AttentionBlock block(args, kv_head, rows, reinterpret_cast<float*>(scratch));
    block.LoadQueries();
    const Range last = block.VisibleTo(block.queries_ - 1);
    for (size_t key = block.VisibleTo(0).begin; key < last.end; key += kKeys) {
      const size_t left = last.end - key;
      block.AddKeys({key, key + (left < kKeys ? left : kKeys)});
    }
    block.StoreResults();
  }

 private:
  AttentionBlock(const AttentionArgs& args, size_t kv_head, Range rows, float* scratch)
      : args_(args),
        size_(args.head_size),
        group_(args.heads / args.kv_heads),
        first_head_(kv_head * group_),
        first_row_(rows.begin),
        queries_((rows.end - rows.begin) * group_),
        keys_(static_cast<const T*>(args.keys) + kv_head * args.key_head_stride),
        values_(static_cast<const T*>(args.values) + kv_head * args.value_head_stride) {
    q_ = scratch;
    results_ = q_ + queries_ * size_;
    scores_ = results_ + queries_ * size_;
    highest_ = scores_ + queries_ * kKeys;
    sums_ = highest_ + queries_;
    key_panel_ = sums_ + queries_;
    value_panel_ = key_panel_ + kKeys * size_;
  }

  /// The positions that a query sees.
  Range VisibleTo(size_t query) const {
    const size_t end = args_.position + first_row_ + query / group_ + 1;
    return {args_.window != 0 && end > args_.window ? end - args_.window : 0, end};
  }

  void LoadQueries() {
    const F scale = V::SetF(args_.scale);
    for (size_t query = 0; query < queries_; ++query) {
      const float* q = args_.q + (first_row_ + query / group_) * args_.q_row_stride +
                       (first_head_ + query % group_) * args_.q_head_stride;
      for (size_t i = 0; i < size_; i += kLanes) {
        V::StoreF(q_ + query * size_ + i, V::Mul(V::LoadF(q + i), scale));
        V::StoreF(results_ + query * size_ + i, V::ZeroF());
      }
      highest_[query] = -__builtin_inff();
      sums_[query] = 0;
    }
  }

  /// The queries that see some of `keys`: later rows see later keys.
  Range QueriesSeeing(Range keys) const {
    size_t begin = 0;
    size_t end = queries_;
    while (VisibleTo(begin).end <= keys.begin) begin += group_;
    while (VisibleTo(end - 1).begin >= keys.end) end -= group_;
    return {begin, end};
  }

  void AddKeys(Range keys) {
    const Range queries = QueriesSeeing(keys);
    const bool few = queries_ <= kFewQueries;
    if (few) {
      size_t query = queries.begin;
      for (; query + 2 <= queries.end; query += 2) ScoreAlongHead<2>(query, keys);
      if (query < queries.end) ScoreAlongHead<1>(query, keys);
    } else {
      ScoreByPanel(queries, keys);
    }
    for (size_t query = queries.begin; query < queries.end; ++query) Exponentiate(query, keys);
    if (args_.values_transposed) {
      PackTransposedValues(keys);
      AddValues(queries, value_panel_, size_, keys.end - keys.begin);
      return;
    }
    const T* values = values_ + keys.begin * args_.value_row_stride;
    if (few || std::is_same_v<T, float>) {
      AddValues(queries, values, args_.value_row_stride, keys.end - keys.begin);
    } else {  // Many tiles read each value: widened once, not by each of them.
      WidenValues(values, keys.end - keys.begin);
      AddValues(queries, value_panel_, size_, keys.end - keys.begin);
    }
  }

  /// Scores of kTogether queries: kLanes keys at a time, each read and widened once, products added
  /// up lane by lane, then across. kLanes rows read in turn are no stream that prefetchers would
  /// follow: the block's values and the keys of the next one are asked for.
  template <size_t kTogether>
  void ScoreAlongHead(size_t query, Range keys) {
    const float* q = q_ + query * size_;
    float* scores = scores_ + query * kKeys;
    for (size_t key = keys.begin; key < keys.end; key += kLanes) {
      I sums[kTogether][kLanes];
#pragma GCC unroll 16
      for (size_t i = 0; i < kLanes; ++i) {
        const size_t row = key + i < keys.end ? key + i : keys.end - 1;
        const T* k = keys_ + row * args_.key_row_stride;
        const T* next_key = k + kKeys * args_.key_row_stride;
        const T* value = values_ + (args_.values_transposed ? 0 : row * args_.value_row_stride);
        F sum[kTogether];
#pragma GCC unroll 2
        for (size_t n = 0; n < kTogether; ++n) sum[n] = V::ZeroF();
        for (size_t j = 0; j < size_; j += kLanes) {
          const F loaded = LoadAsFloat<V>(k + j);
          if (j % (64 / sizeof(T)) == 0) {
            __builtin_prefetch(next_key + j);
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
        V::StoreF(scores + n * kKeys + (key - keys.begin), total);
      }
    }
  }

  /// Scores of many queries, with the keys of the block as columns of a panel.
  void ScoreByPanel(Range queries, Range keys) {
    for (size_t key = keys.begin; key < keys.end; key += kLanes) {
      for (size_t j = 0; j < size_; j += kLanes) {
        I block[kLanes];
#pragma GCC unroll 16
        for (size_t i = 0; i < kLanes; ++i) {
          const size_t row = key + i < keys.end ? key + i : keys.end - 1;
          block[i] = V::AsInt(LoadAsFloat<V>(keys_ + row * args_.key_row_stride + j));
        }
        V::Transpose(block);
        float* to = key_panel_ + j * kKeys + (key - keys.begin);
#pragma GCC unroll 16
        for (size_t i = 0; i < kLanes; ++i) V::Store(to + i * kKeys, block[i]);
      }
    }
    MultiplyAll<kVectors>(queries, q_, size_, key_panel_, kKeys, size_, scores_, kKeys,
                          keys.end - keys.begin, false);
  }

  /// Turns scores into exponentials, 0 for keys that the query does not see.
  void Exponentiate(size_t query, Range keys) {
    const Range seen = VisibleTo(query);
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

  void WidenValues(const T* values, size_t count) {
    for (size_t key = 0; key < count; ++key) {
      const T* from = values + key * args_.value_row_stride;
      float* to = value_panel_ + key * size_;
      for (size_t i = 0; i < size_; i += kLanes) V::StoreF(to + i, LoadAsFloat<V>(from + i));
    }
  }

  void PackTransposedValues(Range keys) {
    for (size_t key = keys.begin; key < keys.end; key += kLanes) {
      const size_t left = keys.end - key;
      for (size_t j = 0; j < size_; j += kLanes) {
        I block[kLanes];
        for (size_t i = 0; i < kLanes; ++i) {
          block[i] = V::AsInt(LoadSome(values_ + (j + i) * args_.value_row_stride + key, left));
        }
        V::Transpose(block);
        float* to = value_panel_ + (key - keys.begin) * size_ + j;
        for (size_t i = 0; i < kLanes; ++i) V::Store(to + i * size_, block[i]);
      }
    }
  }

  /// A vector of which only the first `count` numbers are in the cache.
  static F LoadSome(const T* p, size_t count) {
    if (count >= kLanes) return LoadAsFloat<V>(p);
    T part[kLanes] = {};
    __builtin_memcpy(part, p, count * sizeof(T));
    return LoadAsFloat<V>(part);
  }

  template <typename W>
  void AddValues(Range queries, const W* values, size_t stride, size_t count) {
    MultiplyAll<kVectors>(queries, scores_, kKeys, values, stride, count, results_, size_, size_,
                          true);
  }

  void StoreResults() const {
    for (size_t query = 0; query < queries_; ++query) {
      float* y = args_.y + (first_row_ + query / group_) * args_.y_row_stride +
                 (first_head_ + query % group_) * args_.y_head_stride;
      const F factor = V::SetF(1.0f / sums_[query]);
      for (size_t i = 0; i < size_; i += kLanes) {
        V::StoreF(y + i, V::Mul(V::LoadF(results_ + query * size_ + i), factor));
      }
    }
  }

  /// y = x · w (or y += x · w) for some queries, `kWide` vectors of outputs at a time.
  template <size_t kWide, typename W>
  void MultiplyAll(Range queries, const float* x, size_t x_stride, const W* w, size_t w_step,
                   size_t steps, float* y, size_t y_stride, size_t outputs, bool add) {
    size_t n = 0;
    // Few sums for each vector: more vectors hide the latency, and rows of values that are read
    // from memory are best read whole.
    const size_t count = queries.end - queries.begin;
    if constexpr (kManyRegisters) {
      for (; count <= 2 && n + 8 * kLanes <= outputs; n += 8 * kLanes) {
        MultiplyRows<8>(queries, x, x_stride, w + n, w_step, steps, y + n, y_stride, add);
      }
    }
    constexpr size_t kFew = kManyRegisters ? 4 : 3;
    for (; count <= kFew && n + 4 * kLanes <= outputs; n += 4 * kLanes) {
      MultiplyRows<4>(queries, x, x_stride, w + n, w_step, steps, y + n, y_stride, add);
    }
    for (; n + kWide * kLanes <= outputs; n += kWide * kLanes) {
      MultiplyRows<kWide>(queries, x, x_stride, w + n, w_step, steps, y + n, y_stride, add);
    }
    for (; n < outputs; n += kLanes) {
      MultiplyRows<1>(queries, x, x_stride, w + n, w_step, steps, y + n, y_stride, add);
    }
  }

  template <size_t kWide, typename W>
  void MultiplyRows(Range queries, const float* x, size_t x_stride, const W* w, size_t w_step,
                    size_t steps, float* y, size_t y_stride, bool add) {
    size_t row = queries.begin;
    const auto multiply = [&]<size_t kRows>() {
      for (; row + kRows <= queries.end; row += kRows) {
        MultiplyTile<V, kRows, kWide>(x + row * x_stride, x_stride, w, w_step, steps,
                                      y + row * y_stride, y_stride, add);
      }
    };
    if constexpr (kWide <= kVectors) multiply.template operator()<kTileRows>();
    if constexpr ((kWide <= kVectors && kTileRows > 4) || (kWide == 4 && kManyRegisters)) {
      multiply.template operator()<4>();
    }
    multiply.template operator()<2>();
    multiply.template operator()<1>();
  }

  const AttentionArgs& args_;
  size_t size_;
  size_t group_;
  size_t first_head_;
  size_t first_row_;
  size_t queries_;
  const T* keys_;
  const T* values_;
  float* q_;            ///< [queries, size], scaled
  float* results_;      ///< [queries, size]
  float* scores_;       ///< [queries, kKeys]
  float* highest_;      ///< [queries]
  float* sums_;         ///< [queries], of exponentials
  float* key_panel_;    ///< [size, kKeys]
  float* value_panel_;  ///< [kKeys, size]
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_ATTENTION_H_
