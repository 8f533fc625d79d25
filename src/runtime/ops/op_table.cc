#include "litertlm/error.h"
#include "runtime/row_chain.h"
#include "runtime/tensor.h"

namespace litertlm {

OpFunction FunctionOf(Op op) {
  switch (op) {
    case Op::kCast:
      return RunCast;
    case Op::kDequantize:
      return RunDequantize;
    case Op::kQuantize:
      return RunQuantize;
    case Op::kSelect:
      return RunSelect;
    case Op::kCumsum:
      return RunCumsum;
    case Op::kMean:
    case Op::kReduceMax:
    case Op::kSum:
      return RunReduction;
    case Op::kSoftmax:
      return RunSoftmax;
    case Op::kTopK:
      return RunTopK;
    case Op::kRmsNorm:
    case Op::kGeluTanhMul:
    case Op::kSiluMul:
      return [](const OpContext& context) { RunRowChain({&context, 1}, false); };
    case Op::kBroadcastTo:
      return RunBroadcastTo;
    case Op::kConcatenation:
      return RunConcatenation;
    case Op::kDynamicUpdateSlice:
      return RunDynamicUpdateSlice;
    case Op::kGather:
      return RunGather;
    case Op::kPad:
      return RunPad;
    case Op::kReshape:
      return RunReshape;
    case Op::kScatterNd:
      return RunScatterNd;
    case Op::kSlice:
      return RunSlice;
    case Op::kTile:
      return RunTile;
    case Op::kTranspose:
      return RunTranspose;
    case Op::kBatchMatMul:
      return RunBatchMatMul;
    case Op::kEmbeddingLookup:
      return RunEmbeddingLookup;
    case Op::kFullyConnected:
      return RunFullyConnected;
    case Op::kAttention:
      return RunAttention;
    case Op::kCacheUpdate:
      return RunCacheUpdate;
    case Op::kRope:
      return RunRope;
    default:
      break;
  }
  if (const OpFunction unary = UnaryFunction(op)) return unary;
  if (const OpFunction binary = BinaryFunction(op)) return binary;
  throw Error(ErrorCode::kInternal, "operator " + std::string(OpName(op)) + " has no kernel.");
}

size_t InputsToWriteOver(Op op) {
  if (UnaryFunction(op) != nullptr) return 1;
  if (BinaryFunction(op) != nullptr) return 2;
  switch (op) {
    case Op::kAttention:
    case Op::kRmsNorm:
    case Op::kRope:
    case Op::kSoftmax:
      return 1;
    case Op::kGeluTanhMul:
    case Op::kSiluMul:
      return 2;
    default:
      return 0;
  }
}

}  // namespace litertlm
