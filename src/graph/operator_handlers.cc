// How each TFLite operator is written in the intermediate representation.
//
// Constant operands (axes, permutations, sizes) become attributes. What TFLite spells in several
// ways gets one spelling: fused activations become nodes of their own; PACK, UNPACK, SPLIT,
// STRIDED_SLICE, SQUEEZE and EXPAND_DIMS become slices, reshapes and concatenations; reductions
// keep the reduced axes and are reshaped; SQUARE is a product.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "graph/importer.h"

namespace litertlm {
namespace {

using Builtin = tflite::BuiltinOperator;
using tflite::ActivationFunctionType;

template <Op kOp>
void Plain(OperatorImporter& op) {
  op.Bind(0, op.Emit(kOp, op.all_inputs()));
}

// The fused activation that `options` name; none where the file leaves them out.
template <typename Options>
ActivationFunctionType ActivationOf(const Options* options) {
  return options == nullptr ? ActivationFunctionType::NONE : options->fused_activation_function();
}

template <Op kOp, typename Options>
void Binary(OperatorImporter& op) {
  const ValueId result = op.Emit(kOp, op.all_inputs());
  op.Bind(0, op.EmitActivation(result, ActivationOf(op.op().builtin_options_as<Options>())));
}

void Gelu(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_GeluOptions();
  const bool tanh = options != nullptr && options->approximate();
  op.Bind(0, op.Emit(Op::kGelu, op.all_inputs(), GeluAttributes{tanh}));
}

void Softmax(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_SoftmaxOptions();
  op.Bind(0, op.Emit(Op::kSoftmax, op.all_inputs(),
                     SoftmaxAttributes{options == nullptr ? 1.0f : options->beta()}));
}

void Square(OperatorImporter& op) { op.Bind(0, op.Emit(Op::kMul, {op.in(0), op.in(0)})); }

// SELECT has a form of its own: a vector of conditions picks whole rows.
void Select(OperatorImporter& op) {
  ValueId condition = op.in(0);
  if (op.rank(0) == 1 && op.rank(1) > 1) {
    Shape rows = op.shape(0);
    for (int i = 1; i < op.rank(1); ++i) rows.push_back(1);
    condition = op.EmitReshape(condition, rows);
  }
  op.Bind(0, op.Emit(Op::kSelect, {condition, op.in(1), op.in(2)}));
}

template <Op kOp>
void Reduce(OperatorImporter& op) {
  const Shape from = op.shape(0);
  std::vector<int> axes;
  for (const int64_t axis : op.Numbers(1)) axes.push_back(op.Axis(axis, from.rank()));
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  ValueId result = op.Emit(kOp, {op.in(0)}, AxesAttributes{axes});
  const auto* options = op.op().builtin_options_as_ReducerOptions();
  if (options == nullptr || !options->keep_dims()) {
    Shape kept;
    for (int axis = 0; axis < from.rank(); ++axis) {
      if (!std::binary_search(axes.begin(), axes.end(), axis)) kept.push_back(from[axis]);
    }
    result = op.EmitReshape(result, kept);
  }
  op.Bind(0, result);
}

void Cumsum(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_CumsumOptions();
  const CumsumAttributes attributes{op.Axis(op.Number(1), op.rank(0)),
                                    options != nullptr && options->exclusive(),
                                    options != nullptr && options->reverse()};
  op.Bind(0, op.Emit(Op::kCumsum, {op.in(0)}, attributes));
}

// --- Shapes -------------------------------------------------------------------------------------

Shape ToShape(OperatorImporter& op, const std::vector<int64_t>& numbers) {
  op.Check(numbers.size() <= kMaxRank, "its rank is too high");
  Shape shape;
  for (const int64_t number : numbers) shape.push_back(number);
  return shape;
}

// Target extents; none may be negative.
Shape TargetShape(OperatorImporter& op, const std::vector<int64_t>& numbers) {
  const Shape shape = ToShape(op, numbers);
  for (const int64_t extent : shape) op.Check(extent >= 0, "its target has a negative dimension");
  return Concrete(Symbolic(shape), 1);
}

void Reshape(OperatorImporter& op) {
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

void Squeeze(OperatorImporter& op) {
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

// `shape` with a new dimension of extent 1 at `axis`.
Shape WithDimension(OperatorImporter& op, const Shape& shape, int axis) {
  op.Check(shape.rank() < kMaxRank, "its rank is too high");
  Shape result;
  for (int i = 0; i <= shape.rank(); ++i) {
    if (i == axis) result.push_back(1);
    if (i < shape.rank()) result.push_back(shape[i]);
  }
  return result;
}

void ExpandDims(OperatorImporter& op) {
  const int axis = op.Axis(op.Number(1), op.rank(0) + 1);
  op.Bind(0, op.EmitReshape(op.in(0), WithDimension(op, op.shape(0), axis)));
}

void BroadcastTo(OperatorImporter& op) {
  const Shape target = TargetShape(op, op.Numbers(1));
  op.Bind(0, op.Emit(Op::kBroadcastTo, {op.in(0)}, TargetAttributes{target}));
}

void Fill(OperatorImporter& op) {
  op.Check(op.rank(1) == 0, "its value is not a scalar");
  const Shape target = TargetShape(op, op.Numbers(0));
  op.Bind(0, op.Emit(Op::kBroadcastTo, {op.in(1)}, TargetAttributes{target}));
}

void Range(OperatorImporter& op) {
  const int64_t start = op.Number(0);
  const int64_t limit = op.Number(1);
  const int64_t delta = op.Number(2);
  op.Check(delta != 0, "its step is zero");
  if (op.OutputDType(0) != DType::kI32) {
    op.Fail(ErrorCode::kUnsupported, "only ranges of int32 are supported");
  }
  const int64_t span = delta > 0 ? limit - start : start - limit;
  const int64_t count = std::max<int64_t>(0, (span + std::abs(delta) - 1) / std::abs(delta));
  op.Check(count <= (int64_t{1} << 24), "it is too long");
  std::vector<std::byte> data(static_cast<size_t>(count) * sizeof(int32_t));
  for (int64_t i = 0; i < count; ++i) {
    const auto number = static_cast<int32_t>(start + i * delta);
    std::memcpy(data.data() + i * sizeof(int32_t), &number, sizeof(number));
  }
  op.Bind(0, op.EmitConstant(DType::kI32, Shape{count}, std::move(data)));
}

void Transpose(OperatorImporter& op) {
  Shape permutation = ToShape(op, op.Numbers(1));
  for (int i = 0; i < permutation.rank(); ++i) permutation[i] = op.Axis(permutation[i], op.rank(0));
  op.Bind(0, op.Emit(Op::kTranspose, {op.in(0)}, PermutationAttributes{permutation}));
}

// --- Parts and wholes ---------------------------------------------------------------------------

void Concatenation(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_ConcatenationOptions();
  const int axis = op.Axis(options == nullptr ? 0 : options->axis(), op.rank(0));
  const ValueId result =
      op.Emit(Op::kConcatenation, op.all_inputs(), ConcatenationAttributes{axis});
  op.Bind(0, op.EmitActivation(result, ActivationOf(options)));
}

void Pack(OperatorImporter& op) {
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

void Unpack(OperatorImporter& op) {
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

void BindParts(OperatorImporter& op, ValueId whole, int axis, const std::vector<int64_t>& sizes) {
  op.Check(sizes.size() == op.outputs(), "its sizes do not fit its outputs");
  int64_t begin = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    op.Bind(i, EmitPart(op, whole, axis, begin, sizes[i]));
    begin += sizes[i];
  }
}

void Split(OperatorImporter& op) {
  const int axis = op.Axis(op.Number(0), op.rank(1));
  const auto parts = static_cast<int64_t>(op.outputs());
  const int64_t extent = op.shape(1)[axis];
  op.Check(extent % parts == 0, "its input cannot be cut into equal parts");
  BindParts(op, op.in(1), axis, std::vector<int64_t>(op.outputs(), extent / parts));
}

void SplitV(OperatorImporter& op) {
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

void Slice(OperatorImporter& op) {
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

void Pad(OperatorImporter& op) {
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

void Tile(OperatorImporter& op) {
  op.Bind(0, op.Emit(Op::kTile, {op.in(0)}, PerAxisAttributes{ToShape(op, op.Numbers(1)), {}}));
}

// Rows of a matrix are what EMBEDDING_LOOKUP gives; it reads coded tables, too.
void Gather(OperatorImporter& op) {
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

// --- Matrices -----------------------------------------------------------------------------------

void BatchMatMul(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_BatchMatMulOptions();
  const BatchMatMulAttributes attributes{options != nullptr && options->adj_x(),
                                         options != nullptr && options->adj_y()};
  op.Bind(0, op.Emit(Op::kBatchMatMul, op.all_inputs(), attributes));
}

void FullyConnected(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_FullyConnectedOptions();
  if (options != nullptr && options->weights_format() != 0) {
    op.Fail(ErrorCode::kUnsupported, "its weights are in a shuffled format");
  }
  FullyConnectedAttributes attributes;
  attributes.keep_num_dims = options != nullptr && options->keep_num_dims();
  const ValueId result = op.Emit(Op::kFullyConnected, op.all_inputs(), attributes);
  op.Bind(0, op.EmitActivation(result, ActivationOf(options)));
}

void Relu(OperatorImporter& op) {
  op.Bind(0, op.EmitActivation(op.in(0), ActivationFunctionType::RELU));
}

struct HandlerEntry {
  Builtin code;
  OperatorHandler handler;
};

// Sorted by code.
constexpr HandlerEntry kHandlers[] = {
    {Builtin::ADD, Binary<Op::kAdd, tflite::AddOptions>},
    {Builtin::CONCATENATION, Concatenation},
    {Builtin::DEQUANTIZE, Plain<Op::kDequantize>},
    {Builtin::EMBEDDING_LOOKUP, Plain<Op::kEmbeddingLookup>},
    {Builtin::FULLY_CONNECTED, FullyConnected},
    {Builtin::LOGISTIC, Plain<Op::kLogistic>},
    {Builtin::MUL, Binary<Op::kMul, tflite::MulOptions>},
    {Builtin::RELU, Relu},
    {Builtin::RESHAPE, Reshape},
    {Builtin::SOFTMAX, Softmax},
    {Builtin::TANH, Plain<Op::kTanh>},
    {Builtin::PAD, Pad},
    {Builtin::GATHER, Gather},
    {Builtin::TRANSPOSE, Transpose},
    {Builtin::MEAN, Reduce<Op::kMean>},
    {Builtin::SUB, Binary<Op::kSub, tflite::SubOptions>},
    {Builtin::DIV, Binary<Op::kDiv, tflite::DivOptions>},
    {Builtin::SQUEEZE, Squeeze},
    {Builtin::STRIDED_SLICE, ImportStridedSlice},
    {Builtin::EXP, Plain<Op::kExp>},
    {Builtin::SPLIT, Split},
    {Builtin::CAST, Plain<Op::kCast>},
    {Builtin::MAXIMUM, Plain<Op::kMaximum>},
    {Builtin::MINIMUM, Plain<Op::kMinimum>},
    {Builtin::LESS, Plain<Op::kLess>},
    {Builtin::NEG, Plain<Op::kNeg>},
    {Builtin::PADV2, Pad},
    {Builtin::GREATER, Plain<Op::kGreater>},
    {Builtin::GREATER_EQUAL, Plain<Op::kGreaterEqual>},
    {Builtin::LESS_EQUAL, Plain<Op::kLessEqual>},
    {Builtin::SELECT, Select},
    {Builtin::SLICE, Slice},
    {Builtin::SIN, Plain<Op::kSin>},
    {Builtin::TILE, Tile},
    {Builtin::EXPAND_DIMS, ExpandDims},
    {Builtin::EQUAL, Plain<Op::kEqual>},
    {Builtin::NOT_EQUAL, Plain<Op::kNotEqual>},
    {Builtin::LOG, Plain<Op::kLog>},
    {Builtin::SUM, Reduce<Op::kSum>},
    {Builtin::SQRT, Plain<Op::kSqrt>},
    {Builtin::RSQRT, Plain<Op::kRsqrt>},
    {Builtin::POW, Plain<Op::kPow>},
    {Builtin::REDUCE_MAX, Reduce<Op::kReduceMax>},
    {Builtin::PACK, Pack},
    {Builtin::LOGICAL_OR, Plain<Op::kLogicalOr>},
    {Builtin::LOGICAL_AND, Plain<Op::kLogicalAnd>},
    {Builtin::LOGICAL_NOT, Plain<Op::kLogicalNot>},
    {Builtin::UNPACK, Unpack},
    {Builtin::FLOOR_DIV, Plain<Op::kFloorDiv>},
    {Builtin::SQUARE, Square},
    {Builtin::FILL, Fill},
    {Builtin::FLOOR_MOD, Plain<Op::kFloorMod>},
    {Builtin::RANGE, Range},
    {Builtin::SQUARED_DIFFERENCE, Plain<Op::kSquaredDifference>},
    {Builtin::ABS, Plain<Op::kAbs>},
    {Builtin::SPLIT_V, SplitV},
    {Builtin::COS, Plain<Op::kCos>},
    {Builtin::SELECT_V2, Plain<Op::kSelect>},
    {Builtin::BATCH_MATMUL, BatchMatMul},
    {Builtin::CUMSUM, Cumsum},
    {Builtin::BROADCAST_TO, BroadcastTo},
    {Builtin::GELU, Gelu},
    {Builtin::DYNAMIC_UPDATE_SLICE, Plain<Op::kDynamicUpdateSlice>},
    {Builtin::STABLEHLO_COMPOSITE, ImportComposite},
};

}  // namespace

OperatorHandler FindHandler(int32_t builtin_code) {
  const auto it = std::lower_bound(std::begin(kHandlers), std::end(kHandlers), builtin_code,
                                   [](const HandlerEntry& entry, int32_t code) {
                                     return static_cast<int32_t>(entry.code) < code;
                                   });
  const bool found = it != std::end(kHandlers) && static_cast<int32_t>(it->code) == builtin_code;
  return found ? it->handler : nullptr;
}

std::string TfliteOperatorName(int32_t builtin_code) {
  const char* name = tflite::EnumNameBuiltinOperator(static_cast<Builtin>(builtin_code));
  return *name != '\0' ? std::string(name) : fmt::format("operator {}", builtin_code);
}

}  // namespace litertlm
