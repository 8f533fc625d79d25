// Operators that combine two broadcast inputs element by element.
#include "kernels/scalar/functions.h"
#include "kernels/scalar/strided_loop.h"
#include "runtime/parallel.h"
#include "runtime/tensor.h"

namespace litertlm {
namespace {

// One row of results; a step of 0 repeats the element, as broadcasting wants. Not inlined: with
// four loops for each operator and type this is most of what the compiler has to do here.
template <typename T, typename Result, typename F>
[[gnu::noinline]] void CombineRow(const T* a, int64_t a_step, const T* b, int64_t b_step, Result* y,
                                  int64_t count, F f) {
  if (a_step == 1 && b_step == 1) {
    for (int64_t i = 0; i < count; ++i) y[i] = f(a[i], b[i]);
  } else if (a_step == 1) {
    for (int64_t i = 0; i < count; ++i) y[i] = f(a[i], *b);
  } else if (b_step == 1) {
    for (int64_t i = 0; i < count; ++i) y[i] = f(*a, b[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) y[i] = f(*a, *b);
  }
}

template <typename T, typename Result, typename F>
void Combine(const OpContext& context, F f) {
  const Tensor& out = context.out();
  if (out.count() == 0) return;
  const StridedLoop<3> loop(
      out.shape, {BroadcastStrides(context.in(0).shape, out.shape),
                  BroadcastStrides(context.in(1).shape, out.shape), out.shape.Strides()});
  const T* a = context.in(0).as<T>();
  const T* b = context.in(1).as<T>();
  Result* y = out.mutable_as<Result>();
  const int64_t a_step = loop.row_stride(0);
  const int64_t b_step = loop.row_stride(1);
  if (loop.rows() == 1) {
    ParallelRanges(context.workers.pool, loop.row_length(), 1, [&](int64_t first, int64_t last) {
      CombineRow(a + first * a_step, a_step, b + first * b_step, b_step, y + first, last - first,
                 f);
    });
    return;
  }
  ParallelRanges(
      context.workers.pool, loop.rows(), loop.row_length(), [&](int64_t first, int64_t last) {
        loop.ForRows(first, last, [&](const auto& at) {
          CombineRow(a + at[0], a_step, b + at[1], b_step, y + at[2], loop.row_length(), f);
        });
      });
}

template <typename F>
void Arithmetic(const OpContext& context, F f) {
  switch (context.in(0).dtype()) {
    case DType::kI32:
      return Combine<int32_t, int32_t>(context, f);
    case DType::kI64:
      return Combine<int64_t, int64_t>(context, f);
    default:
      return Combine<float, float>(context, f);
  }
}

template <typename F>
void Comparison(const OpContext& context, F f) {
  const auto compare = [f](auto a, auto b) { return static_cast<uint8_t>(f(a, b)); };
  switch (context.in(0).dtype()) {
    case DType::kI32:
      return Combine<int32_t, uint8_t>(context, compare);
    case DType::kI64:
      return Combine<int64_t, uint8_t>(context, compare);
    case DType::kBool:
      return Combine<uint8_t, uint8_t>(context, compare);
    default:
      return Combine<float, uint8_t>(context, compare);
  }
}

#define LITERTLM_ARITHMETIC(name)                                                    \
  [](const OpContext& context) {                                                     \
    Arithmetic(context, []<typename T>(T a, T b) { return scalar::name<T>(a, b); }); \
  }
#define LITERTLM_COMPARISON(sign) \
  [](const OpContext& context) { Comparison(context, [](auto a, auto b) { return a sign b; }); }

}  // namespace

OpFunction BinaryFunction(Op op) {
  switch (op) {
    case Op::kAdd:
      return LITERTLM_ARITHMETIC(Add);
    case Op::kDiv:
      return LITERTLM_ARITHMETIC(Div);
    case Op::kFloorDiv:
      return LITERTLM_ARITHMETIC(FloorDiv);
    case Op::kFloorMod:
      return LITERTLM_ARITHMETIC(FloorMod);
    case Op::kMaximum:
      return LITERTLM_ARITHMETIC(Maximum);
    case Op::kMinimum:
      return LITERTLM_ARITHMETIC(Minimum);
    case Op::kMul:
      return LITERTLM_ARITHMETIC(Mul);
    case Op::kSquaredDifference:
      return LITERTLM_ARITHMETIC(SquaredDifference);
    case Op::kSub:
      return LITERTLM_ARITHMETIC(Sub);
    case Op::kPow:
      return LITERTLM_ARITHMETIC(Power);
    case Op::kEqual:
      return LITERTLM_COMPARISON(==);
    case Op::kNotEqual:
      return LITERTLM_COMPARISON(!=);
    case Op::kGreater:
      return LITERTLM_COMPARISON(>);
    case Op::kGreaterEqual:
      return LITERTLM_COMPARISON(>=);
    case Op::kLess:
      return LITERTLM_COMPARISON(<);
    case Op::kLessEqual:
      return LITERTLM_COMPARISON(<=);
    case Op::kLogicalAnd:
      return [](const OpContext& context) {
        Combine<uint8_t, uint8_t>(context, [](uint8_t a, uint8_t b) -> uint8_t { return a && b; });
      };
    case Op::kLogicalOr:
      return [](const OpContext& context) {
        Combine<uint8_t, uint8_t>(context, [](uint8_t a, uint8_t b) -> uint8_t { return a || b; });
      };
    default:
      return nullptr;
  }
}

}  // namespace litertlm
