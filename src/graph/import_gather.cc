// Operators that read or write by index, or find indices.
#include "graph/importer.h"

namespace litertlm {
namespace {

ValueId EmitIndicesOfLargest(OperatorImporter& op, ValueId input, int64_t count) {
  return op.Emit(Op::kTopK, {op.EmitLargeInteger(input)}, TopKAttributes{count});
}

}  // namespace

// Rows of a matrix are what EMBEDDING_LOOKUP gives; it reads coded tables, too.
void ImportGather(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_GatherOptions();
  const int batch = options == nullptr ? 0 : options->batch_dims();
  const GatherAttributes attributes{op.Axis(options == nullptr ? 0 : options->axis(), op.rank(0)),
                                    batch < 0 ? batch + op.rank(1) : batch};
  const bool rows = op.rank(0) == 2 && op.rank(1) == 1 && attributes == GatherAttributes{} &&
                    op.value(0).dtype == DType::kF32 && op.value(1).dtype == DType::kI32;
  if (rows) {
    op.Bind(0, op.Emit(Op::kEmbeddingLookup, {op.in(1), op.in(0)}));
  } else {
    op.Bind(0, op.Emit(Op::kGather, op.all_inputs(), attributes));
  }
}

// The first axes of the table, of which each vector of indices names one element, become one axis.
void ImportGatherNd(OperatorImporter& op) {
  const Shape from = op.shape(0);
  const Shape indices = op.shape(1);
  const DType dtype = op.value(1).dtype;
  if (dtype != DType::kI32 && dtype != DType::kI64) {
    op.Fail(ErrorCode::kUnsupported, "its indices are neither int32 nor int64");
  }
  op.Check(indices.rank() >= 1 && indices.back() >= 1 && indices.back() <= from.rank(),
           "its indices do not fit its input's rank");
  const auto depth = static_cast<int>(indices.back());
  std::vector<int64_t> strides(static_cast<size_t>(depth), 1);
  for (int axis = depth - 2; axis >= 0; --axis) {
    strides[static_cast<size_t>(axis)] = strides[static_cast<size_t>(axis) + 1] * from[axis + 1];
  }
  Shape table = {from.Product(0, depth)};
  for (int axis = depth; axis < from.rank(); ++axis) table.push_back(from[axis]);
  Shape positions;
  for (int axis = 0; axis + 1 < indices.rank(); ++axis) positions.push_back(indices[axis]);

  ValueId index = op.in(1);
  if (depth > 1) {
    index = op.Emit(Op::kMul, {index, op.EmitNumbers(dtype, Shape{depth}, strides)});
    index = op.Emit(Op::kSum, {index}, AxesAttributes{{indices.rank() - 1}});
  }
  index = op.EmitReshape(index, positions);
  op.Bind(0, op.Emit(Op::kGather, {op.EmitReshape(op.in(0), table), index}, GatherAttributes{}));
}

void ImportScatterNd(OperatorImporter& op) {
  const Shape target = TargetShape(op, op.Numbers(2));
  op.Bind(0, op.Emit(Op::kScatterNd, {op.in(0), op.in(1)}, TargetAttributes{target}));
}

void ImportTopK(OperatorImporter& op) {
  op.Check(op.outputs() == 2, "it has not two outputs");
  op.Check(op.rank(0) >= 1, "its input is a scalar");
  const int last = op.rank(0) - 1;
  const ValueId indices = EmitIndicesOfLargest(op, op.in(0), op.Number(1));
  op.Bind(0, op.Emit(Op::kGather, {op.in(0), indices}, GatherAttributes{last, last}));
  op.Bind(1, indices);
}

void ImportArgMax(OperatorImporter& op) {
  const Shape from = op.shape(0);
  const int axis = op.Axis(op.Number(1), from.rank());
  Shape permutation;
  Shape target;
  for (int i = 0; i < from.rank(); ++i) {
    if (i == axis) continue;
    permutation.push_back(i);
    target.push_back(from[i]);
  }
  permutation.push_back(axis);
  ValueId input = op.in(0);
  if (axis != from.rank() - 1) {
    input = op.Emit(Op::kTranspose, {input}, PermutationAttributes{permutation});
  }
  const ValueId index = op.EmitReshape(EmitIndicesOfLargest(op, input, 1), target);
  op.Bind(0, op.EmitCast(index, op.OutputDType(0)));
}

}  // namespace litertlm
