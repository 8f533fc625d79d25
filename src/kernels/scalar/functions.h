// What the element-wise operators compute for one element.
#ifndef LITERTLM_KERNELS_SCALAR_FUNCTIONS_H_
#define LITERTLM_KERNELS_SCALAR_FUNCTIONS_H_

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

namespace litertlm::scalar {

/// Integers wrap around, as they do in TFLite; signed overflow itself is undefined in C++.
template <typename T, typename F>
T Wrapping(T a, T b, F f) {
  if constexpr (std::integral<T>) {
    using Unsigned = std::make_unsigned_t<T>;
    return static_cast<T>(f(static_cast<Unsigned>(a), static_cast<Unsigned>(b)));
  } else {
    return f(a, b);
  }
}

template <typename T>
T Add(T a, T b) {
  return Wrapping(a, b, [](auto x, auto y) { return x + y; });
}
template <typename T>
T Sub(T a, T b) {
  return Wrapping(a, b, [](auto x, auto y) { return x - y; });
}
template <typename T>
T Mul(T a, T b) {
  return Wrapping(a, b, [](auto x, auto y) { return x * y; });
}
template <typename T>
T SquaredDifference(T a, T b) {
  const T difference = Sub(a, b);
  return Mul(difference, difference);
}

/// Integer division by zero has no result; 0 stands for it.
template <typename T>
T Div(T a, T b) {
  if constexpr (std::integral<T>) {
    if (b == 0) return 0;
    if (b == -1) return Sub<T>(0, a);
  }
  return a / b;
}
template <typename T>
T FloorDiv(T a, T b) {
  if constexpr (std::integral<T>) {
    const T quotient = Div(a, b);
    const bool inexact = b != 0 && b != -1 && a % b != 0;
    return inexact && (a < 0) != (b < 0) ? quotient - 1 : quotient;
  } else {
    return std::floor(a / b);
  }
}
/// The remainder that has the sign of the divisor.
template <typename T>
T FloorMod(T a, T b) {
  if constexpr (std::integral<T>) {
    if (b == 0 || b == -1) return 0;
    const T remainder = a % b;
    return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
  } else {
    const T remainder = std::fmod(a, b);
    return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
  }
}
/// Of integers by squaring; 1 / a^n is cut to an integer.
template <typename T>
T Power(T a, T b) {
  if constexpr (std::integral<T>) {
    if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
    T result = 1;
    for (; b > 0; b /= 2, a = Mul(a, a)) {
      if (b % 2 != 0) result = Mul(result, a);
    }
    return result;
  } else {
    return std::pow(a, b);
  }
}
template <typename T>
T Maximum(T a, T b) {
  return a > b ? a : b;
}
template <typename T>
T Minimum(T a, T b) {
  return a < b ? a : b;
}

inline float Rsqrt(float x) { return 1.0f / std::sqrt(x); }
/// 0.5 x (1 + erf(x / sqrt(2)))
inline float GeluErf(float x) { return 0.5f * x * (1.0f + std::erf(x * 0.70710678f)); }

/// A float that is out of range or no number becomes the nearest integer there is, or 0.
template <typename To, typename From>
To Cast(From value) {
  if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::floating_point<From> && std::integral<To>) {
    if (std::isnan(value)) return 0;
    constexpr auto kLowest = static_cast<From>(std::numeric_limits<To>::min());
    constexpr auto kHighest = static_cast<From>(std::numeric_limits<To>::max());
    if (value <= kLowest) return std::numeric_limits<To>::min();
    if (value >= kHighest) return std::numeric_limits<To>::max();
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace litertlm::scalar

#endif  // LITERTLM_KERNELS_SCALAR_FUNCTIONS_H_
