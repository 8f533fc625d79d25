// Operators that map one element to one.
#include <cmath>

#include "kernels/scalar/approximations.h"
#include "kernels/scalar/functions.h"
#include "runtime/parallel.h"
#include "runtime/tensor.h"

namespace litertlm {
namespace {

constexpr int64_t kCostOfFunction = 8;  // An exponential, beside an addition.

template <typename T, typename F>
void Map(const OpContext& context, F f) {
  const T* x = context.in(0).as<T>();
  T* y = context.out().mutable_as<T>();
  ParallelRanges(context.workers.pool, context.out().count(), kCostOfFunction,
                 [&](int64_t first, int64_t last) {
                   for (int64_t i = first; i < last; ++i) y[i] = f(x[i]);
                 });
}

template <float (*kFunction)(float)>
void MapFloats(const OpContext& context) {
  Map<float>(context, [](float x) { return kFunction(x); });
}

template <typename F>
void MapNumbers(const OpContext& context, F f) {
  switch (context.in(0).dtype()) {
    case DType::kI32:
      return Map<int32_t>(context, f);
    case DType::kI64:
      return Map<int64_t>(context, f);
    default:
      return Map<float>(context, f);
  }
}

float Negate(float x) { return -x; }
float AbsoluteOf(float x) { return std::fabs(x); }

void RunNeg(const OpContext& context) {
  MapNumbers(context, []<typename T>(T x) {
    if constexpr (std::is_same_v<T, float>) return Negate(x);
    return scalar::Sub<T>(0, x);
  });
}

void RunAbs(const OpContext& context) {
  MapNumbers(context, []<typename T>(T x) {
    if constexpr (std::is_same_v<T, float>) return AbsoluteOf(x);
    return x < 0 ? scalar::Sub<T>(0, x) : x;
  });
}

void RunLogicalNot(const OpContext& context) {
  Map<uint8_t>(context, [](uint8_t x) { return static_cast<uint8_t>(x == 0); });
}

void RunGelu(const OpContext& context) {
  if (context.As<GeluAttributes>().tanh) return MapFloats<scalar::GeluTanh>(context);
  MapFloats<scalar::GeluErf>(context);
}

void RunRelu(const OpContext& context) {
  const Activation activation = context.As<ReluAttributes>().activation;
  const float low = activation == Activation::kReluN1To1 ? -1.0f : 0.0f;
  const float high = activation == Activation::kRelu6       ? 6.0f
                     : activation == Activation::kReluN1To1 ? 1.0f
                                                            : INFINITY;
  Map<float>(context, [=](float x) { return scalar::Minimum(scalar::Maximum(x, low), high); });
}

}  // namespace

OpFunction UnaryFunction(Op op) {
  switch (op) {
    case Op::kAbs:
      return RunAbs;
    case Op::kCos:
      return MapFloats<scalar::Cos>;
    case Op::kExp:
      return MapFloats<std::exp>;
    case Op::kGelu:
      return RunGelu;
    case Op::kLog:
      return MapFloats<std::log>;
    case Op::kLogicalNot:
      return RunLogicalNot;
    case Op::kLogistic:
      return MapFloats<scalar::Logistic>;
    case Op::kNeg:
      return RunNeg;
    case Op::kRelu:
      return RunRelu;
    case Op::kRsqrt:
      return MapFloats<scalar::Rsqrt>;
    case Op::kSin:
      return MapFloats<scalar::Sin>;
    case Op::kSqrt:
      return MapFloats<std::sqrt>;
    case Op::kTanh:
      return MapFloats<scalar::Tanh>;
    default:
      return nullptr;
  }
}

}  // namespace litertlm
