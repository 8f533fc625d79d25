#include "graph/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace litertlm {
namespace {

struct OpInfo {
  Op op;
  std::string_view name;
  size_t min_inputs;
  size_t max_inputs;
  Type (*infer)(const TypeContext&);
};

constexpr size_t kAnyNumber = ~size_t{0};

// In the order of the enumeration.
constexpr std::array<OpInfo, kOpCount> kOps = {{
    {Op::kAbs, "ABS", 1, 1, InferUnary},
    {Op::kCast, "CAST", 1, 1, InferCast},
    {Op::kCos, "COS", 1, 1, InferUnary},
    {Op::kDequantize, "DEQUANTIZE", 1, 1, InferDequantize},
    {Op::kExp, "EXP", 1, 1, InferUnary},
    {Op::kGelu, "GELU", 1, 1, InferUnary},
    {Op::kLog, "LOG", 1, 1, InferUnary},
    {Op::kLogicalNot, "LOGICAL_NOT", 1, 1, InferLogicalNot},
    {Op::kLogistic, "LOGISTIC", 1, 1, InferUnary},
    {Op::kNeg, "NEG", 1, 1, InferUnary},
    {Op::kQuantize, "QUANTIZE", 1, 1, InferQuantize},
    {Op::kRelu, "RELU", 1, 1, InferUnary},
    {Op::kRsqrt, "RSQRT", 1, 1, InferUnary},
    {Op::kSin, "SIN", 1, 1, InferUnary},
    {Op::kSqrt, "SQRT", 1, 1, InferUnary},
    {Op::kTanh, "TANH", 1, 1, InferUnary},
    {Op::kAdd, "ADD", 2, 2, InferArithmetic},
    {Op::kDiv, "DIV", 2, 2, InferArithmetic},
    {Op::kEqual, "EQUAL", 2, 2, InferComparison},
    {Op::kFloorDiv, "FLOOR_DIV", 2, 2, InferArithmetic},
    {Op::kFloorMod, "FLOOR_MOD", 2, 2, InferArithmetic},
    {Op::kGreater, "GREATER", 2, 2, InferComparison},
    {Op::kGreaterEqual, "GREATER_EQUAL", 2, 2, InferComparison},
    {Op::kLess, "LESS", 2, 2, InferComparison},
    {Op::kLessEqual, "LESS_EQUAL", 2, 2, InferComparison},
    {Op::kLogicalAnd, "LOGICAL_AND", 2, 2, InferLogical},
    {Op::kLogicalOr, "LOGICAL_OR", 2, 2, InferLogical},
    {Op::kMaximum, "MAXIMUM", 2, 2, InferArithmetic},
    {Op::kMinimum, "MINIMUM", 2, 2, InferArithmetic},
    {Op::kMul, "MUL", 2, 2, InferArithmetic},
    {Op::kNotEqual, "NOT_EQUAL", 2, 2, InferComparison},
    {Op::kPow, "POW", 2, 2, InferArithmetic},
    {Op::kSquaredDifference, "SQUARED_DIFFERENCE", 2, 2, InferArithmetic},
    {Op::kSub, "SUB", 2, 2, InferArithmetic},
    {Op::kSelect, "SELECT", 3, 3, InferSelect},
    {Op::kCumsum, "CUMSUM", 1, 1, InferCumsum},
    {Op::kMean, "MEAN", 1, 1, InferReduction},
    {Op::kReduceMax, "REDUCE_MAX", 1, 1, InferReduction},
    {Op::kSoftmax, "SOFTMAX", 1, 1, InferSoftmax},
    {Op::kSum, "SUM", 1, 1, InferReduction},
    {Op::kTopK, "TOPK_V2", 1, 1, InferTopK},
    {Op::kBroadcastTo, "BROADCAST_TO", 1, 1, InferBroadcastTo},
    {Op::kConcatenation, "CONCATENATION", 1, kAnyNumber, InferConcatenation},
    {Op::kDynamicUpdateSlice, "DYNAMIC_UPDATE_SLICE", 3, 3, InferDynamicUpdateSlice},
    {Op::kGather, "GATHER", 2, 2, InferGather},
    {Op::kPad, "PAD", 1, 2, InferPad},
    {Op::kReshape, "RESHAPE", 1, 1, InferReshape},
    {Op::kScatterNd, "SCATTER_ND", 2, 2, InferScatterNd},
    {Op::kSlice, "SLICE", 1, 1, InferSlice},
    {Op::kTile, "TILE", 1, 1, InferTile},
    {Op::kTranspose, "TRANSPOSE", 1, 1, InferTranspose},
    {Op::kBatchMatMul, "BATCH_MATMUL", 2, 2, InferBatchMatMul},
    {Op::kEmbeddingLookup, "EMBEDDING_LOOKUP", 2, 2, InferEmbeddingLookup},
    {Op::kFullyConnected, "FULLY_CONNECTED", 2, 3, InferFullyConnected},
    {Op::kRmsNorm, "odml.rms_norm", 2, 2, InferRmsNorm},
    {Op::kAttention, "attention", 4, 7, InferAttention},
    {Op::kCacheUpdate, "cache update", 3, 6, InferCacheUpdate},
    {Op::kGeluTanhMul, "gelu and product", 2, 2, InferGatedProduct},
    {Op::kRope, "rotation", 3, 4, InferRope},
    {Op::kSiluMul, "silu and product", 2, 2, InferGatedProduct},
}};

constexpr bool InOrder() {
  for (int i = 0; i < kOpCount; ++i) {
    if (static_cast<int>(kOps[i].op) != i) return false;
  }
  return true;
}
static_assert(InOrder(), "kOps must list the operators in the order of the enumeration");

const OpInfo& InfoOf(Op op) { return kOps[static_cast<size_t>(op)]; }

}  // namespace

std::string_view OpName(Op op) { return InfoOf(op).name; }

void TypeContext::Fail(ErrorCode code, const std::string& detail) const {
  throw Error(code, fmt::format("{}: {}, which computes '{}': {}.", graph_.name, OpName(node_.op),
                                graph_.value(node_.outputs.front()).name, detail));
}

void TypeContext::Require(size_t i, std::initializer_list<DType> dtypes) const {
  if (std::find(dtypes.begin(), dtypes.end(), in(i).dtype) != dtypes.end()) return;
  Fail(ErrorCode::kUnsupported, fmt::format("dtype {} of input {} ('{}') is not supported",
                                            Info(in(i).dtype).name, i, in(i).name));
}

void TypeContext::RequireSameDType(size_t i) const {
  if (in(i).dtype == in(0).dtype) return;
  Fail(ErrorCode::kBadInput, fmt::format("input {} is {}, but input 0 is {}", i,
                                         Info(in(i).dtype).name, Info(in(0).dtype).name));
}

void TypeContext::RequireWholeBytes(size_t i) const {
  if (Info(in(i).dtype).bits % 8 == 0) return;
  Fail(ErrorCode::kUnsupported,
       fmt::format("input {} ('{}') is packed {}", i, in(i).name, Info(in(i).dtype).name));
}

Type InferType(const Graph& graph, const Node& node) {
  const OpInfo& info = InfoOf(node.op);
  const TypeContext context(graph, node);
  bool complete = node.inputs.size() >= info.min_inputs && node.inputs.size() <= info.max_inputs;
  for (size_t i = 0; complete && i < info.min_inputs; ++i) complete = context.has(i);
  if (!complete) {
    context.Fail(ErrorCode::kBadInput, fmt::format("it has {} inputs", node.inputs.size()));
  }
  // Of the operators with any number of inputs, none can leave one out.
  for (size_t i = 0; info.max_inputs == kAnyNumber && i < node.inputs.size(); ++i) {
    context.Check(context.has(i), "an input is left out");
  }
  Type type = info.infer(context);
  context.Check(type.shape.size() <= kMaxRank, "its rank is too high");
  try {
    Concrete(type.shape, graph.file_rows);
  } catch (const Error& error) {
    context.Fail(error.code(), error.message());
  }
  return type;
}

void InferTypes(Graph& graph) {
  for (const Node& node : graph.nodes) {
    Type type = InferType(graph, node);
    Value& output = graph.value(node.outputs.front());
    output.dtype = type.dtype;
    output.shape = std::move(type.shape);
  }
}

SymbolicShape BroadcastShapes(const TypeContext& context, const SymbolicShape& a,
                              const SymbolicShape& b) {
  const SymbolicShape& longer = a.size() >= b.size() ? a : b;
  const SymbolicShape& shorter = a.size() >= b.size() ? b : a;
  SymbolicShape result = longer;
  const size_t offset = longer.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) {
    Dim& dim = result[offset + i];
    if (dim == shorter[i] || shorter[i].Is(1)) continue;
    if (!dim.Is(1)) {
      context.Fail(ErrorCode::kBadInput,
                   fmt::format("shapes {} and {} cannot be broadcast", ToString(a), ToString(b)));
    }
    dim = shorter[i];
  }
  return result;
}

}  // namespace litertlm
