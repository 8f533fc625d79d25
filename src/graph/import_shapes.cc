// Operators that change a shape, or make a tensor from one.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "graph/importer.h"

namespace litertlm {
namespace {

// A tensor that a single operator may ask for without having read anything of its size.
constexpr int64_t kMaxRange = int64_t{1} << 24;

// The target that input `i` gives, or that of the declared output where it is computed.
std::vector<int64_t> Target(OperatorImporter& op, size_t i) {
  if (op.value(i).is_constant) return op.Numbers(i);
  const Shape declared = op.OutputShape(0);
  return {declared.begin(), declared.end()};
}

float FloatOf(OperatorImporter& op, size_t i) {
  const Value& constant = op.value(i);
  op.Check(constant.is_constant && constant.dtype == DType::kF32 && Count(constant.shape).Is(1),
           "its bounds are not constant numbers of its output's dtype");
  float number;
  std::memcpy(&number, constant.data.data(), sizeof(number));
  return number;
}

// `Wide` holds whatever the bounds come to.
template <typename T, typename Wide>
void EmitRange(OperatorImporter& op, Wide start, Wide limit, Wide delta) {
  op.Check(delta != 0, "its step is zero");
  const double steps = std::ceil((static_cast<double>(limit) - static_cast<double>(start)) /
                                 static_cast<double>(delta));
  op.Check(steps <= kMaxRange, "it is too long");
  std::vector<T> numbers(static_cast<size_t>(std::max(steps, 0.0)));
  for (T& number : numbers) {
    number = static_cast<T>(start);
    start += delta;
  }
  const Shape shape = {static_cast<int64_t>(numbers.size())};
  op.Bind(0, op.EmitConstant(op.OutputDType(0), shape, numbers));
}

}  // namespace

Shape ToShape(const OperatorImporter& op, const std::vector<int64_t>& numbers) {
  op.Check(numbers.size() <= kMaxRank, "its rank is too high");
  Shape shape;
  for (const int64_t number : numbers) shape.push_back(number);
  return shape;
}

Shape TargetShape(const OperatorImporter& op, const std::vector<int64_t>& numbers) {
  const Shape shape = ToShape(op, numbers);
  for (const int64_t extent : shape) op.Check(extent >= 0, "its target has a negative dimension");
  return Concrete(Symbolic(shape), 1);
}

Shape WithDimension(const OperatorImporter& op, const Shape& shape, int axis) {
  op.Check(shape.rank() < kMaxRank, "its rank is too high");
  Shape result;
  for (int i = 0; i <= shape.rank(); ++i) {
    if (i == axis) result.push_back(1);
    if (i < shape.rank()) result.push_back(shape[i]);
  }
  return result;
}

void ImportReshape(OperatorImporter& op) {
  std::vector<int64_t> target;
  const auto* options = op.op().builtin_options_as_ReshapeOptions();
  if (op.in(1) != kNoValue && op.value(1).is_constant) {
    target = op.Numbers(1);
  } else if (options != nullptr && options->new_shape() != nullptr) {
    target.assign(options->new_shape()->begin(), options->new_shape()->end());
  } else {
    const Shape declared = op.OutputShape(0);
    target.assign(declared.begin(), declared.end());
  }
  // -1 stands for what is left over.
  const auto open = std::find(target.begin(), target.end(), -1);
  if (open != target.end()) {
    *open = 1;
    const int64_t rest = TargetShape(op, target).count();
    const int64_t count = op.shape(0).count();
    op.Check(rest > 0 && count % rest == 0, "its target does not fit its input");
    *open = count / rest;
  }
  op.Bind(0, op.EmitReshape(op.in(0), TargetShape(op, target)));
}

void ImportSqueeze(OperatorImporter& op) {
  const Shape from = op.shape(0);
  const auto* options = op.op().builtin_options_as_SqueezeOptions();
  const bool all = options == nullptr || options->squeeze_dims() == nullptr ||
                   options->squeeze_dims()->size() == 0;
  std::array<bool, kMaxRank> drop{};
  for (int axis = 0; all && axis < from.rank(); ++axis) drop[axis] = from[axis] == 1;
  if (!all) {
    for (const int32_t axis : *options->squeeze_dims()) {
      op.Check(from[op.Axis(axis, from.rank())] == 1, "it drops a dimension that is not 1");
      drop[op.Axis(axis, from.rank())] = true;
    }
  }
  Shape target;
  for (int axis = 0; axis < from.rank(); ++axis) {
    if (!drop[axis]) target.push_back(from[axis]);
  }
  op.Bind(0, op.EmitReshape(op.in(0), target));
}

void ImportExpandDims(OperatorImporter& op) {
  const int axis = op.Axis(op.Number(1), op.rank(0) + 1);
  op.Bind(0, op.EmitReshape(op.in(0), WithDimension(op, op.shape(0), axis)));
}

void ImportBroadcastTo(OperatorImporter& op) {
  const Shape target = TargetShape(op, Target(op, 1));
  op.Bind(0, op.Emit(Op::kBroadcastTo, {op.in(0)}, TargetAttributes{target}));
}

void ImportFill(OperatorImporter& op) {
  op.Check(op.rank(1) == 0, "its value is not a scalar");
  const Shape target = TargetShape(op, Target(op, 0));
  op.Bind(0, op.Emit(Op::kBroadcastTo, {op.in(1)}, TargetAttributes{target}));
}

void ImportRange(OperatorImporter& op) {
  switch (op.OutputDType(0)) {
    case DType::kI32:
      return EmitRange<int32_t>(op, op.Number(0), op.Number(1), op.Number(2));
    case DType::kI64:
      return EmitRange<int64_t>(op, op.Number(0), op.Number(1), op.Number(2));
    case DType::kF32:
      return EmitRange<float>(op, FloatOf(op, 0), FloatOf(op, 1), FloatOf(op, 2));
    default:
      op.Fail(ErrorCode::kUnsupported, "only ranges of int32, int64 and float32 are supported");
  }
}

// Shapes do not depend on what is computed.
void ImportShape(OperatorImporter& op) {
  const Shape from = op.shape(0);
  const DType dtype = op.OutputDType(0);
  const Shape rank = {from.rank()};
  if (dtype == DType::kI64) {
    op.Bind(0, op.EmitConstant(dtype, rank, std::vector<int64_t>(from.begin(), from.end())));
  } else {
    op.Bind(0, op.EmitConstant(DType::kI32, rank, std::vector<int32_t>(from.begin(), from.end())));
  }
}

void ImportTranspose(OperatorImporter& op) {
  Shape permutation = ToShape(op, op.Numbers(1));
  for (int i = 0; i < permutation.rank(); ++i) permutation[i] = op.Axis(permutation[i], op.rank(0));
  op.Bind(0, op.Emit(Op::kTranspose, {op.in(0)}, PermutationAttributes{permutation}));
}

}  // namespace litertlm
