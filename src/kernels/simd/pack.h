// Rearranging weights for products of many rows.
#ifndef LITERTLM_KERNELS_SIMD_PACK_H_
#define LITERTLM_KERNELS_SIMD_PACK_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/unpack.h"

namespace litertlm {

/// Columns rounded up to whole vectors of bytes: what is packed is padded with zero weights.
template <typename V>
size_t PaddedColumns(size_t columns) {
  return (columns + V::kBytes - 1) / V::kBytes * V::kBytes;
}

/// The vectors load(0), load(1), … become columns, written `step` bytes apart.
template <typename V, typename Load>
[[gnu::always_inline]] inline void PackBlock(const Load& load, void* to, size_t step) {
  typename V::I block[V::kLanes];
#pragma GCC unroll 16
  for (size_t i = 0; i < V::kLanes; ++i) block[i] = load(i);
  V::Transpose(block);
#pragma GCC unroll 16
  for (size_t i = 0; i < V::kLanes; ++i) V::Store(static_cast<char*>(to) + i * step, block[i]);
}

/// Packs `live` rows of `w` from `row` on, zeros in the other lanes: vector s holds the weights of
/// columns 4 s … 4 s + 3 of each row in turn. Vectors are written `step` bytes apart.
template <typename V, typename Weights>
void PackRows(const WeightMatrix& w, size_t row, size_t live, int8_t* to, size_t step) {
  constexpr size_t kLanes = V::kLanes;
  const uint8_t* rows[kLanes];
  for (size_t i = 0; i < live; ++i) rows[i] = Weights::Row(w, row + i);
  size_t column = 0;
  if (live == kLanes) {
    for (; column + V::kBytes <= w.columns; column += V::kBytes, to += kLanes * step) {
      PackBlock<V>([&](size_t i) { return Weights::Load(rows[i], column); }, to, step);
    }
  }
  for (; column < w.columns; column += V::kBytes, to += kLanes * step) {
    const size_t left = w.columns - column;
    const auto load = [&](size_t i) {
      return i >= live           ? V::Zero()
             : left >= V::kBytes ? Weights::Load(rows[i], column)
                                 : Weights::LoadTail(rows[i], column, left);
    };
    PackBlock<V>(load, to, step);
  }
}

/// For each lane the sum of its weights in `count` packed vectors, a multiple of four, `step` bytes
/// apart.
template <typename V>
typename V::I SumPacked(const int8_t* from, size_t count, size_t step) {
  constexpr size_t kSums = 4;  // With one each addition would wait for the one before.
  typename V::I sums[kSums] = {V::Zero(), V::Zero(), V::Zero(), V::Zero()};
  for (size_t i = 0; i < count; i += kSums) {
#pragma GCC unroll 4
    for (size_t j = 0; j < kSums; ++j) {
      sums[j] = V::SumBytes(sums[j], V::Load(from + (i + j) * step));
    }
  }
  return V::Add32(V::Add32(sums[0], sums[1]), V::Add32(sums[2], sums[3]));
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_PACK_H_
