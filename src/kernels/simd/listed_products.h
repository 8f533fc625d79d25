// Integer products of one row with rows of 8-bit weights that lie here and there.
#ifndef LITERTLM_KERNELS_SIMD_LISTED_PRODUCTS_H_
#define LITERTLM_KERNELS_SIMD_LISTED_PRODUCTS_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/in_register.h"
#include "kernels/simd/store_outputs.h"
#include "kernels/simd/unpack.h"

namespace litertlm {

template <typename V>
class ListedProducts {
  using I = typename V::I;

 public:
  static void Run(const DynamicArgs& args, const uint32_t* outputs, size_t count) {
    constexpr size_t kAhead = 4;  // Rows that are on their way from memory.
    for (size_t i = 0; i < kAhead && i < count; ++i) Ask(args.w, outputs[i]);
    for (size_t i = 0; i < count; ++i) {
      if (i + kAhead < count) Ask(args.w, outputs[i + kAhead]);
      StoreOutput(args, 0, outputs[i], Multiply(args, outputs[i]));
    }
  }

 private:
  static void Ask(const WeightMatrix& w, size_t output) {
    constexpr size_t kLine = 64;
    const uint8_t* row = Int8Weights<V>::Row(w, output);
    for (size_t i = 0; i < w.columns; i += kLine) __builtin_prefetch(row + i);
    __builtin_prefetch(w.scales + output);
  }

  static int32_t Multiply(const DynamicArgs& args, size_t output) {
    const uint8_t* weights = Int8Weights<V>::Row(args.w, output);
    const size_t columns = args.w.columns;
    I sums[4] = {V::Zero(), V::Zero(), V::Zero(), V::Zero()};
    size_t column = 0;
    for (; column + V::kBytes <= columns; column += V::kBytes) {
      Accumulate(weights + column, args.codes + column, sums);
    }
    if (column < columns) {
      alignas(V::kBytes) uint8_t last[V::kBytes] = {};
      __builtin_memcpy(last, weights + column, columns - column);
      Accumulate(last, args.codes + column, sums);
    }
    int32_t totals[4];
    V::Sum4(sums, totals);
    return totals[0] - (args.codings[0].zero_point - V::kCodeOffset) * totals[1];
  }

  /// Adds products to the first of the sums, and weights to the second.
  [[gnu::always_inline]] static void Accumulate(const uint8_t* weights, const uint8_t* codes,
                                                I* sums) {
    const I w = InRegister(V::Load(weights));
    sums[1] = V::SumBytes(sums[1], w);
    if constexpr (V::kHasDot) {
      sums[0] = V::Dot(sums[0], V::Load(codes), w);
    } else {
      for (size_t half = 0; half < V::kBytes; half += V::kBytes / 2) {
        const I products = V::MulPairs(V::WidenU8(codes + half), V::WidenI8Words(weights + half));
        sums[0] = V::Add32(sums[0], products);
      }
    }
  }
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_LISTED_PRODUCTS_H_
