// The operators of the intermediate representation.
//
// Fewer than TFLite has: the importer writes operators that differ only in spelling as one
// (docs/architecture.md lists the rewrites), so that passes have one form to recognise.
#ifndef LITERTLM_GRAPH_OP_H_
#define LITERTLM_GRAPH_OP_H_

#include <cstdint>
#include <string_view>

namespace litertlm {

enum class Op : uint8_t {
  // Element by element, one input.
  kAbs,
  kCast,
  kCos,
  kDequantize,
  kExp,
  kGelu,
  kLog,
  kLogicalNot,
  kLogistic,
  kNeg,
  kQuantize,
  kRelu,
  kRsqrt,
  kSin,
  kSqrt,
  kTanh,
  // Element by element, two inputs, broadcast.
  kAdd,
  kDiv,
  kEqual,
  kFloorDiv,
  kFloorMod,
  kGreater,
  kGreaterEqual,
  kLess,
  kLessEqual,
  kLogicalAnd,
  kLogicalOr,
  kMaximum,
  kMinimum,
  kMul,
  kNotEqual,
  kPow,
  kSquaredDifference,
  kSub,
  // Three inputs, broadcast.
  kSelect,
  // Along axes; a reduced axis stays with extent 1.
  kCumsum,
  kMean,
  kReduceMax,
  kSoftmax,
  kSum,
  kTopK,  ///< Indices of the largest along the last axis, from the largest on.
  // Data movement.
  kBroadcastTo,
  kConcatenation,
  kDynamicUpdateSlice,
  kGather,
  kPad,
  kReshape,
  kScatterNd,  ///< Adds rows to zeros, at the given indices.
  kSlice,
  kTile,
  kTranspose,
  // Matrices and tables.
  kBatchMatMul,
  kEmbeddingLookup,
  kFullyConnected,
  // Composites that have a kernel of their own.
  kRmsNorm,
  // What fusions make of several operators; graph/ops/fused.cc says what each computes.
  kAttention,
  kCacheUpdate,
  kGeluTanhMul,
  kRope,
  kSiluMul,
};
inline constexpr int kOpCount = static_cast<int>(Op::kSiluMul) + 1;

/// "ADD", as TFLite spells it.
std::string_view OpName(Op op);

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_OP_H_
