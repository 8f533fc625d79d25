// Elementary functions, approximated as XNNPACK does where there is no fused multiply-add.
//
// The last bit of a float decides now and then which int8 code it gets, so these are not merely
// close to XNNPACK's values but the same: its coefficients, each product and each sum rounded, in
// this order. All are within a few units in the last place.
#ifndef LITERTLM_KERNELS_SCALAR_APPROXIMATIONS_H_
#define LITERTLM_KERNELS_SCALAR_APPROXIMATIONS_H_

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace litertlm::scalar {

/// The polynomial whose highest coefficient comes first, by Horner's rule.
template <typename... Rest>
float Polynomial(float x, float highest, Rest... rest) {
  float sum = highest;
  ((sum = sum * x + rest), ...);
  return sum;
}

/// exp(x) for x <= 0 (and some way beyond); 0 where the result would be no normal number.
///
/// x = n ln 2 + r with |r| <= ln(2) / 2, and exp(x) = 2^n exp(r).
inline float ExpOfNegative(float x) {
  constexpr float kLeastArgument = -0x1.5D589Ep6f;
  // No bits for a fraction are left in the sum with this number; those for n begin at 127, so that
  // moved to the exponent's place they are 2^n.
  constexpr float kRounder = 0x1.8000FEp23f;
  if (x < kLeastArgument) return 0;
  const float biased = x * 0x1.715476p0f + kRounder;
  const auto power = std::bit_cast<float>(std::bit_cast<uint32_t>(biased) << 23);
  const float n = biased - kRounder;
  const float r = (x - n * 0x1.62E4p-1f) - n * 0x1.7F7D1Cp-20f;  // ln 2 in two parts.
  const float quotient = Polynomial(r, 0x1.0F9F9Cp-7f, 0x1.573A1Ap-5f, 0x1.555A80p-3f,
                                    0x1.FFFDC6p-2f, 0x1.FFFFF6p-1f);  // (exp(r) - 1) / r
  return r * power * quotient + power;
}

/// 1 / (1 + exp(-x))
inline float Logistic(float x) {
  const float e = ExpOfNegative(-std::fabs(x));
  const float below = e / (e + 1.0f);
  return std::signbit(x) ? below : 1.0f - below;
}

inline float Tanh(float x) {
  constexpr float kOne = 7.8522667885f;  // From here on the result is 1.
  x = std::clamp(x, -kOne, kOne);
  const float square = x * x;
  const float p = Polynomial(square, 1.4248920266e-8f, 2.1235626264e-5f, 3.5330520477e-3f,
                             1.3412411511e-1f, 1.0f);
  const float q = Polynomial(square, 8.1365948290e-7f, 3.3472978976e-4f, 2.6018999517e-2f,
                             4.6745735407e-1f, 1.0f);
  return x * p / q;
}

/// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
inline float GeluTanh(float x) {
  constexpr float kOne = 4.86115026f;  // From here on the hyperbolic tangent is 1.
  const float c = std::clamp(x, -kOne, kOne);
  const float square = c * c;
  const float p = Polynomial(square, 4.9544411240e-8f, 1.4302649106e-5f, 2.6887017884e-4f,
                             7.2898347862e-3f, 6.0803253204e-2f, 7.9788458347e-1f);
  const float q = Polynomial(square, 1.3433452750e-6f, 7.6477612311e-5f, 1.3060354395e-3f,
                             2.4381054565e-2f, 2.4369759858e-1f, 1.0f);
  return x * 0.5f * (c * p / q + 1.0f);
}

/// What is left of x when the nearest multiple of 2 pi is taken off.
inline float WithinTurn(float x) {
  // No bits for a fraction are left in a sum with 1.5 * 2^23. Where that is no rounding any more,
  // beyond 2^22 turns, floats are two radians and more apart.
  constexpr float kRounder = 0x1.8p23f;
  const float turns = (x * 0.15915494f + kRounder) - kRounder;
  return (x - turns * 6.28125f) - turns * 1.9353072e-3f;  // 2 pi in two parts.
}

/// The sine of an angle between -2 pi and 2 pi.
inline float SinWithinTurn(float x) {
  constexpr float kPi = 3.1415927f;
  // Mirrored at pi / 2 and -pi / 2, which leaves the sine as it is.
  x = std::min(x, kPi - x);
  x = std::max(x, -kPi - x);
  x = std::min(x, kPi - x);
  const float square = x * x;
  const float p = Polynomial(square, 3.2340581529e-3f, -1.3314664364e-1f, 1.0f);
  const float q = Polynomial(square, 4.8770775902e-4f, 3.3519912511e-2f, 1.0f);
  return x * p / q;
}

inline float Sin(float x) { return SinWithinTurn(WithinTurn(x)); }
/// sin(pi / 2 - x)
inline float Cos(float x) { return SinWithinTurn(1.5707963705f - WithinTurn(x)); }

}  // namespace litertlm::scalar

#endif  // LITERTLM_KERNELS_SCALAR_APPROXIMATIONS_H_
