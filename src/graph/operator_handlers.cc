// How each TFLite operator is written in the intermediate representation.
//
// Constant operands (axes, permutations, sizes) become attributes. What TFLite spells in several
// ways gets one spelling: fused activations become nodes of their own; PACK, UNPACK, SPLIT,
// STRIDED_SLICE, SQUEEZE and EXPAND_DIMS become slices, reshapes and concatenations; reductions
// keep the reduced axes and are reshaped; SQUARE is a product. Element by element and along axes
// here; the others in the files import_*.cc.
#include <fmt/format.h>

#include <algorithm>

#include "graph/importer.h"

namespace litertlm {
namespace {

using Builtin = tflite::BuiltinOperator;
using tflite::ActivationFunctionType;

template <Op kOp>
void Plain(OperatorImporter& op) {
  op.Bind(0, op.Emit(kOp, op.all_inputs()));
}

template <Op kOp, typename Options>
void Binary(OperatorImporter& op) {
  const ValueId result = op.Emit(kOp, op.all_inputs());
  op.Bind(0, op.EmitActivation(result, ActivationOf(op.op().builtin_options_as<Options>())));
}

// Comparisons and choices, of which kernels know the larger integers only.
template <Op kOp>
void Compare(OperatorImporter& op) {
  std::vector<ValueId> inputs = op.all_inputs();
  for (ValueId& input : inputs) input = op.EmitLargeInteger(input);
  op.Bind(0, op.Emit(kOp, inputs));
}

template <Op kOp>
void Choose(OperatorImporter& op) {
  std::vector<ValueId> inputs = op.all_inputs();
  for (ValueId& input : inputs) input = op.EmitLargeInteger(input);
  op.Bind(0, op.EmitCast(op.Emit(kOp, inputs), op.value(0).dtype));
}

void Cast(OperatorImporter& op) {
  op.Bind(0, op.Emit(Op::kCast, op.all_inputs(), {}, op.OutputDType(0)));
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

// A mean of integers, cut to an integer; the sum may need more bits than they have.
ValueId EmitIntegerMean(OperatorImporter& op, const AxesAttributes& axes) {
  const DType dtype = op.value(0).dtype;
  int64_t count = 1;
  for (const int axis : axes.axes) count *= op.shape(0)[axis];
  const ValueId sum = op.Emit(Op::kSum, {op.EmitCast(op.in(0), DType::kI64)}, axes);
  const ValueId divisor = op.EmitNumbers(DType::kI64, {}, {count});
  return op.EmitCast(op.Emit(Op::kDiv, {sum, divisor}), dtype);
}

template <Op kOp>
void Reduce(OperatorImporter& op) {
  const Shape from = op.shape(0);
  std::vector<int> axes;
  for (const int64_t axis : op.Numbers(1)) axes.push_back(op.Axis(axis, from.rank()));
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  const DType dtype = op.value(0).dtype;
  const bool is_integer_mean = kOp == Op::kMean && (dtype == DType::kI32 || dtype == DType::kI64);
  ValueId result = is_integer_mean ? EmitIntegerMean(op, {axes})
                                   : op.Emit(kOp, {op.in(0)}, AxesAttributes{axes});
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

template <ActivationFunctionType kActivation>
void Activate(OperatorImporter& op) {
  op.Check(op.in(0) != kNoValue, "its input is missing");
  op.Bind(0, op.EmitActivation(op.in(0), kActivation));
}

struct HandlerEntry {
  Builtin code;
  OperatorHandler handler;
};

// Sorted by code.
constexpr HandlerEntry kHandlers[] = {
    {Builtin::ADD, Binary<Op::kAdd, tflite::AddOptions>},
    {Builtin::CONCATENATION, ImportConcatenation},
    {Builtin::DEQUANTIZE, ImportDequantize},
    {Builtin::EMBEDDING_LOOKUP, ImportEmbeddingLookup},
    {Builtin::FULLY_CONNECTED, ImportFullyConnected},
    {Builtin::LOGISTIC, Plain<Op::kLogistic>},
    {Builtin::MUL, Binary<Op::kMul, tflite::MulOptions>},
    {Builtin::RELU, Activate<ActivationFunctionType::RELU>},
    {Builtin::RELU_N1_TO_1, Activate<ActivationFunctionType::RELU_N1_TO_1>},
    {Builtin::RELU6, Activate<ActivationFunctionType::RELU6>},
    {Builtin::RESHAPE, ImportReshape},
    {Builtin::SOFTMAX, Softmax},
    {Builtin::TANH, Plain<Op::kTanh>},
    {Builtin::CUSTOM, ImportCustom},
    {Builtin::PAD, ImportPad},
    {Builtin::GATHER, ImportGather},
    {Builtin::TRANSPOSE, ImportTranspose},
    {Builtin::MEAN, Reduce<Op::kMean>},
    {Builtin::SUB, Binary<Op::kSub, tflite::SubOptions>},
    {Builtin::DIV, Binary<Op::kDiv, tflite::DivOptions>},
    {Builtin::SQUEEZE, ImportSqueeze},
    {Builtin::STRIDED_SLICE, ImportStridedSlice},
    {Builtin::EXP, Plain<Op::kExp>},
    {Builtin::TOPK_V2, ImportTopK},
    {Builtin::SPLIT, ImportSplit},
    {Builtin::CAST, Cast},
    {Builtin::MAXIMUM, Choose<Op::kMaximum>},
    {Builtin::ARG_MAX, ImportArgMax},
    {Builtin::MINIMUM, Choose<Op::kMinimum>},
    {Builtin::LESS, Compare<Op::kLess>},
    {Builtin::NEG, Plain<Op::kNeg>},
    {Builtin::PADV2, ImportPad},
    {Builtin::GREATER, Compare<Op::kGreater>},
    {Builtin::GREATER_EQUAL, Compare<Op::kGreaterEqual>},
    {Builtin::LESS_EQUAL, Compare<Op::kLessEqual>},
    {Builtin::SELECT, Select},
    {Builtin::SLICE, ImportSlice},
    {Builtin::SIN, Plain<Op::kSin>},
    {Builtin::TILE, ImportTile},
    {Builtin::EXPAND_DIMS, ImportExpandDims},
    {Builtin::EQUAL, Compare<Op::kEqual>},
    {Builtin::NOT_EQUAL, Compare<Op::kNotEqual>},
    {Builtin::LOG, Plain<Op::kLog>},
    {Builtin::SUM, Reduce<Op::kSum>},
    {Builtin::SQRT, Plain<Op::kSqrt>},
    {Builtin::RSQRT, Plain<Op::kRsqrt>},
    {Builtin::SHAPE, ImportShape},
    {Builtin::POW, Plain<Op::kPow>},
    {Builtin::REDUCE_MAX, Reduce<Op::kReduceMax>},
    {Builtin::PACK, ImportPack},
    {Builtin::LOGICAL_OR, Plain<Op::kLogicalOr>},
    {Builtin::LOGICAL_AND, Plain<Op::kLogicalAnd>},
    {Builtin::LOGICAL_NOT, Plain<Op::kLogicalNot>},
    {Builtin::UNPACK, ImportUnpack},
    {Builtin::FLOOR_DIV, Plain<Op::kFloorDiv>},
    {Builtin::SQUARE, Square},
    {Builtin::FILL, ImportFill},
    {Builtin::FLOOR_MOD, Plain<Op::kFloorMod>},
    {Builtin::RANGE, ImportRange},
    {Builtin::SQUARED_DIFFERENCE, Plain<Op::kSquaredDifference>},
    {Builtin::ABS, Plain<Op::kAbs>},
    {Builtin::SPLIT_V, ImportSplitV},
    {Builtin::GATHER_ND, ImportGatherNd},
    {Builtin::COS, Plain<Op::kCos>},
    {Builtin::QUANTIZE, ImportQuantize},
    {Builtin::SCATTER_ND, ImportScatterNd},
    {Builtin::SELECT_V2, Plain<Op::kSelect>},
    {Builtin::BATCH_MATMUL, ImportBatchMatMul},
    {Builtin::CUMSUM, Cumsum},
    {Builtin::BROADCAST_TO, ImportBroadcastTo},
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
