// Products of unsigned codes with 4-bit weights, four of each to a lane of the result.
#ifndef LITERTLM_KERNELS_SIMD_NIBBLE_PRODUCTS_H_
#define LITERTLM_KERNELS_SIMD_NIBBLE_PRODUCTS_H_

#include <cstddef>

namespace litertlm {

/// With an instruction that sums products of bytes to 32 bits.
template <typename V, bool kHasDot = V::kHasDot>
struct NibbleProducts {
  using I = typename V::I;

  /// sum + the products of codes and weights.
  static I Dot(I sum, I codes, I weights) { return V::Dot(sum, codes, weights); }

  // Sums of at most kSteps products, between Start and Total, which gives `start` + the products.
  static constexpr size_t kSteps = 8;
  static I Start(I start) { return start; }
  static I Add(I sum, I codes, I weights) { return V::Dot(sum, codes, weights); }
  static I Total(I sum, I) { return sum; }

  /// The products of codes, less their zero point, and two vectors of weights. `zero_point` is in
  /// every byte.
  static I Centered(I even, I odd, I low, I high, I zero_point) {
    const I products = V::Dot(V::Dot(V::Zero(), even, low), odd, high);
    const I weights = V::Dot(V::Dot(V::Zero(), zero_point, low), zero_point, high);
    return V::Sub32(products, weights);
  }
};

/// Without one: pairs of products, at most 255 * 8 each, add up in words, and kSteps pairs still
/// fit.
template <typename V>
struct NibbleProducts<V, false> {
  using I = typename V::I;

  static I Dot(I sum, I codes, I weights) {
    return V::Add32(sum, V::SumWords(V::MulBytes(codes, weights)));
  }

  static constexpr size_t kSteps = 8;
  static I Start(I) { return V::Zero(); }
  static I Add(I sum, I codes, I weights) { return V::Add16(sum, V::MulBytes(codes, weights)); }
  static I Total(I sum, I start) { return V::Add32(start, V::SumWords(sum)); }

  static I Centered(I even, I odd, I low, I high, I zero_point) {
    const I products = V::Add16(V::MulBytes(even, low), V::MulBytes(odd, high));
    return V::SumWords(V::Sub16(products, V::MulBytes(zero_point, V::Add8(low, high))));
  }
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_NIBBLE_PRODUCTS_H_
