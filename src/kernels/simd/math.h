// Elementary functions on vectors.
#ifndef LITERTLM_KERNELS_SIMD_MATH_H_
#define LITERTLM_KERNELS_SIMD_MATH_H_

namespace litertlm {

/// exp(x), within 2 units in the last place; 0 and infinity where float has nothing nearer.
///
/// x = n ln 2 + r with |r| <= ln(2) / 2; exp(r) is a minimax polynomial (the coefficients of
/// Cephes' expf). Inlined always: loops keep the constants in registers.
template <typename V>
[[gnu::always_inline]] inline typename V::F Exp(typename V::F x) {
  using F = typename V::F;
  using I = typename V::I;
  x = V::Min(V::SetF(89.0f), V::Max(V::SetF(-104.0f), x));  // In this order NaN stays NaN.
  const I n = V::Round(V::Mul(x, V::SetF(1.44269504088896341f)));
  const F whole = V::ToFloat(n);
  F r = V::NegMulAdd(whole, V::SetF(0.693359375f), x);
  r = V::NegMulAdd(whole, V::SetF(-2.12194440e-4f), r);
  F p = V::SetF(1.9875691500e-4f);
  p = V::MulAdd(p, r, V::SetF(1.3981999507e-3f));
  p = V::MulAdd(p, r, V::SetF(8.3334519073e-3f));
  p = V::MulAdd(p, r, V::SetF(4.1665795894e-2f));
  p = V::MulAdd(p, r, V::SetF(1.6666665459e-1f));
  p = V::MulAdd(p, r, V::SetF(5.0000001201e-1f));
  p = V::Add(V::MulAdd(V::Mul(r, r), p, r), V::SetF(1.0f));
  return V::TimesPowerOf2(p, n);
}

/// 2^x for x below 128, within 2 units in the last place; 0 where float has nothing nearer. Takes
/// two thirds of the instructions of Exp.
///
/// x = n + r with |r| <= 1/2, exactly; 2^r = 1 + r q(r), where q minimizes the largest relative
/// error of the whole, 2.6e-9 (Remez' algorithm). 2^0 is exactly 1.
template <typename V>
[[gnu::always_inline]] inline typename V::F Exp2(typename V::F x) {
  using F = typename V::F;
  using I = typename V::I;
  x = V::Max(V::SetF(-150.0f), x);  // In this order NaN stays NaN.
  const I n = V::Round(x);
  const F r = V::Sub(x, V::ToFloat(n));
  F p = V::SetF(1.5594678e-4f);
  p = V::MulAdd(p, r, V::SetF(1.3406643e-3f));
  p = V::MulAdd(p, r, V::SetF(9.6176928e-3f));
  p = V::MulAdd(p, r, V::SetF(5.5503104e-2f));
  p = V::MulAdd(p, r, V::SetF(2.4022652e-1f));
  p = V::MulAdd(p, r, V::SetF(6.9314724e-1f));
  p = V::MulAdd(p, r, V::SetF(1.0f));
  return V::TimesPowerOf2(p, n);
}

/// 1 / (1 + exp(-x))
template <typename V>
[[gnu::always_inline]] inline typename V::F Logistic(typename V::F x) {
  const typename V::F one = V::SetF(1.0f);
  return V::Div(one, V::Add(one, Exp<V>(V::Sub(V::ZeroF(), x))));
}

/// 0.5 x (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x³), which is x / (1 + exp(-2 u)).
template <typename V>
[[gnu::always_inline]] inline typename V::F GeluTanh(typename V::F x) {
  const typename V::F cube = V::Mul(V::Mul(x, x), x);
  const typename V::F inner = V::MulAdd(cube, V::SetF(0.044715f), x);
  return V::Mul(x, Logistic<V>(V::Mul(inner, V::SetF(2 * 0.79788456f))));
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_MATH_H_
