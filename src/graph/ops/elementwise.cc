// Types of the operators that work element by element.
#include <algorithm>

#include "graph/types.h"

namespace litertlm {
namespace {

constexpr std::initializer_list<DType> kNumbers = {DType::kF32, DType::kI32, DType::kI64};

}  // namespace

Type InferUnary(const TypeContext& context) {
  const Op op = context.node().op;
  if (op == Op::kNeg || op == Op::kAbs) {
    context.Require(0, kNumbers);
  } else {
    context.Require(0, {DType::kF32});
  }
  return {context.in(0).dtype, context.shape(0)};
}

// The target dtype is not an attribute of its own: the importer declares it on the output.
Type InferCast(const TypeContext& context) {
  const auto castable = {DType::kF32, DType::kF16, DType::kBF16, DType::kI64, DType::kI32,
                         DType::kI16, DType::kI8,  DType::kU8,   DType::kBool};
  context.Require(0, castable);
  const DType target = context.output().dtype;
  if (std::find(castable.begin(), castable.end(), target) == castable.end()) {
    context.Fail(ErrorCode::kUnsupported, "the target dtype is not supported");
  }
  return {target, context.shape(0)};
}

Type InferDequantize(const TypeContext& context) {
  context.Require(0, {DType::kF16, DType::kBF16, DType::kI8, DType::kI4, DType::kI2});
  const Value& value = context.in(0);
  if (value.dtype != DType::kF16 && value.dtype != DType::kBF16) {
    context.Check(!value.quantization.empty(), "its input has no scales");
    context.Check(!value.quantization.has_zero_points, "its codes have a zero point");
    // Along rows, so that one row of any rank has one scale.
    context.Check(value.quantization.scales.size() <= 1 || value.quantization.dimension == 0,
                  "scales along another axis than the first");
  }
  return {DType::kF32, context.shape(0)};
}

// As with casts, the target dtype is declared on the output.
Type InferQuantize(const TypeContext& context) {
  context.Require(0, {DType::kF32});
  const DType target = context.output().dtype;
  if (target != DType::kI8 && target != DType::kU8 && target != DType::kI16) {
    context.Fail(ErrorCode::kUnsupported, "the target dtype is not supported");
  }
  return {target, context.shape(0)};
}

Type InferLogicalNot(const TypeContext& context) {
  context.Require(0, {DType::kBool});
  return {DType::kBool, context.shape(0)};
}

Type InferArithmetic(const TypeContext& context) {
  context.Require(0, kNumbers);
  context.RequireSameDType(1);
  return {context.in(0).dtype, BroadcastShapes(context, context.shape(0), context.shape(1))};
}

Type InferComparison(const TypeContext& context) {
  if (context.node().op == Op::kEqual || context.node().op == Op::kNotEqual) {
    context.Require(0, {DType::kF32, DType::kI32, DType::kI64, DType::kBool});
  } else {
    context.Require(0, kNumbers);
  }
  context.RequireSameDType(1);
  return {DType::kBool, BroadcastShapes(context, context.shape(0), context.shape(1))};
}

Type InferLogical(const TypeContext& context) {
  context.Require(0, {DType::kBool});
  context.RequireSameDType(1);
  return {DType::kBool, BroadcastShapes(context, context.shape(0), context.shape(1))};
}

Type InferSelect(const TypeContext& context) {
  context.Require(0, {DType::kBool});
  context.RequireWholeBytes(1);
  context.Check(context.in(1).dtype == context.in(2).dtype, "its two choices differ in dtype");
  const SymbolicShape choices = BroadcastShapes(context, context.shape(1), context.shape(2));
  return {context.in(1).dtype, BroadcastShapes(context, context.shape(0), choices)};
}

}  // namespace litertlm
