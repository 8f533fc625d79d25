// Operators that cut tensors into parts and put parts together.
#include <algorithm>

#include "graph/importer.h"

namespace litertlm {
namespace {

void BindParts(OperatorImporter& op, ValueId whole, int axis, const std::vector<int64_t>& sizes) {
  op.Check(sizes.size() == op.outputs(), "its sizes do not fit its outputs");
  int64_t begin = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    op.Bind(i, EmitPart(op, whole, axis, begin, sizes[i]));
    begin += sizes[i];
  }
}

}  // namespace

ValueId EmitPart(OperatorImporter& op, ValueId whole, int axis, int64_t begin, int64_t size) {
  SliceAttributes attributes;
  for (const Dim& dim : op.ValueOf(whole).shape) {
    attributes.begin.push_back(0);
    attributes.size.push_back(dim.outer());
    attributes.stride.push_back(1);
  }
  attributes.begin[axis] = begin;
  attributes.size[axis] = size;
  return op.Emit(Op::kSlice, {whole}, attributes);
}

void ImportConcatenation(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_ConcatenationOptions();
  const int axis = op.Axis(options == nullptr ? 0 : options->axis(), op.rank(0));
  const ValueId result =
      op.Emit(Op::kConcatenation, op.all_inputs(), ConcatenationAttributes{axis});
  op.Bind(0, op.EmitActivation(result, ActivationOf(options)));
}

void ImportPack(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_PackOptions();
  const int axis = op.Axis(options == nullptr ? 0 : options->axis(), op.rank(0) + 1);
  std::vector<ValueId> parts;
  for (size_t i = 0; i < op.inputs(); ++i) {
    const Shape part = op.shape(i);
    op.Check(axis <= part.rank(), "its inputs differ in rank");
    parts.push_back(op.EmitReshape(op.in(i), WithDimension(op, part, axis)));
  }
  op.Bind(0, op.Emit(Op::kConcatenation, parts, ConcatenationAttributes{axis}));
}

void ImportUnpack(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_UnpackOptions();
  const Shape from = op.shape(0);
  const int axis = op.Axis(options == nullptr ? 0 : options->axis(), from.rank());
  op.Check(from[axis] == static_cast<int64_t>(op.outputs()), "its outputs do not fit its input");
  Shape target;
  for (int i = 0; i < from.rank(); ++i) {
    if (i != axis) target.push_back(from[i]);
  }
  for (size_t i = 0; i < op.outputs(); ++i) {
    const ValueId part = EmitPart(op, op.in(0), axis, static_cast<int64_t>(i), 1);
    op.Bind(i, op.EmitReshape(part, target));
  }
}

void ImportSplit(OperatorImporter& op) {
  const int axis = op.Axis(op.Number(0), op.rank(1));
  const auto parts = static_cast<int64_t>(op.outputs());
  const int64_t extent = op.shape(1)[axis];
  op.Check(extent % parts == 0, "its input cannot be cut into equal parts");
  BindParts(op, op.in(1), axis, std::vector<int64_t>(op.outputs(), extent / parts));
}

void ImportSplitV(OperatorImporter& op) {
  const int axis = op.Axis(op.Number(2), op.rank(0));
  std::vector<int64_t> sizes = op.Numbers(1);
  const auto open = std::find(sizes.begin(), sizes.end(), -1);
  if (open != sizes.end()) {
    *open = op.shape(0)[axis];
    for (auto it = sizes.begin(); it != sizes.end(); ++it) {
      if (it != open) *open -= *it;
    }
  }
  BindParts(op, op.in(0), axis, sizes);
}

void ImportSlice(OperatorImporter& op) {
  const Shape from = op.shape(0);
  SliceAttributes attributes{ToShape(op, op.Numbers(1)), ToShape(op, op.Numbers(2)), {}};
  op.Check(attributes.begin.rank() == from.rank() && attributes.size.rank() == from.rank(),
           "its bounds do not fit its input's rank");
  for (int axis = 0; axis < from.rank(); ++axis) {
    attributes.stride.push_back(1);
    if (attributes.size[axis] == -1) attributes.size[axis] = from[axis] - attributes.begin[axis];
  }
  op.Bind(0, op.Emit(Op::kSlice, {op.in(0)}, attributes));
}

void ImportPad(OperatorImporter& op) {
  const std::vector<int64_t> numbers = op.Numbers(1);
  op.Check(numbers.size() == 2 * static_cast<size_t>(op.rank(0)),
           "its paddings do not fit its input's rank");
  PerAxisAttributes attributes;
  for (size_t i = 0; i < numbers.size(); i += 2) {
    attributes.before.push_back(numbers[i]);
    attributes.after.push_back(numbers[i + 1]);
  }
  std::vector<ValueId> inputs = {op.in(0)};
  if (op.in(2) != kNoValue) inputs.push_back(op.in(2));
  op.Bind(0, op.Emit(Op::kPad, inputs, attributes));
}

void ImportTile(OperatorImporter& op) {
  op.Bind(0, op.Emit(Op::kTile, {op.in(0)}, PerAxisAttributes{ToShape(op, op.Numbers(1)), {}}));
}

}  // namespace litertlm
