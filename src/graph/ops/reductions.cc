// Types of the operators that combine elements along axes.
#include "graph/types.h"

namespace litertlm {

Type InferReduction(const TypeContext& context) {
  if (context.node().op == Op::kSum || context.node().op == Op::kReduceMax) {
    context.Require(0, {DType::kF32, DType::kI32, DType::kI64});
  } else {
    context.Require(0, {DType::kF32});
  }
  SymbolicShape shape = context.shape(0);
  int previous = -1;
  for (const int axis : context.As<AxesAttributes>().axes) {
    context.Check(axis > previous && axis < context.rank(0), "an axis is out of range");
    shape[axis] = 1;
    previous = axis;
  }
  return {context.in(0).dtype, shape};
}

Type InferSoftmax(const TypeContext& context) {
  context.Require(0, {DType::kF32});
  context.Check(context.rank(0) >= 1, "its input is a scalar");
  return {DType::kF32, context.shape(0)};
}

Type InferCumsum(const TypeContext& context) {
  context.Require(0, {DType::kF32, DType::kI32, DType::kI64});
  const int axis = context.As<CumsumAttributes>().axis;
  context.Check(axis >= 0 && axis < context.rank(0), "its axis is out of range");
  return {context.in(0).dtype, context.shape(0)};
}

Type InferTopK(const TypeContext& context) {
  context.Require(0, {DType::kF32, DType::kI32, DType::kI64});
  context.Check(context.rank(0) >= 1, "its input is a scalar");
  SymbolicShape shape = context.shape(0);
  const int64_t count = context.As<TopKAttributes>().count;
  if (shape.back().is_rows()) context.Fail(ErrorCode::kUnsupported, "it picks among the rows");
  context.Check(count >= 0 && count <= shape.back().outer(), "it picks more than there are");
  shape.back() = count;
  return {DType::kI32, shape};
}

Type InferRmsNorm(const TypeContext& context) {
  context.Require(0, {DType::kF32});
  context.RequireSameDType(1);
  context.Check(context.rank(0) >= 1 && context.rank(1) == 1 &&
                    context.shape(1)[0] == context.shape(0).back(),
                "its gains do not fit its input");
  return {DType::kF32, context.shape(0)};
}

}  // namespace litertlm
