// Types of the operators that multiply matrices or read rows of a table.
#include <fmt/format.h>

#include "graph/types.h"

namespace litertlm {
namespace {

// Scales of a matrix with one row for each output channel, as kernels expect them.
void CheckScales(const TypeContext& context, const Value& weights, int64_t rows, int64_t columns) {
  const Quantization& quantization = weights.quantization;
  if (Info(weights.dtype).bits > 8) return;
  if (quantization.has_zero_points) {
    context.Fail(ErrorCode::kUnsupported, "the codes of its weights have a zero point");
  }
  if (quantization.block_size > 0) {
    context.Check(columns % quantization.block_size == 0 &&
                      static_cast<int64_t>(quantization.block_scales.size()) ==
                          rows * (columns / quantization.block_size),
                  "its block scales do not fit its weights");
    return;
  }
  const auto count = static_cast<int64_t>(quantization.scales.size());
  context.Check(count == 1 || count == rows, "its scales do not fit its weights");
  if (count > 1 && quantization.dimension != 0) {
    context.Fail(ErrorCode::kUnsupported, "its weights are scaled along another axis than rows");
  }
}

void CheckMatrix(const TypeContext& context, size_t i) {
  const Value& matrix = context.in(i);
  context.Require(i, {DType::kF32, DType::kF16, DType::kBF16, DType::kI8, DType::kI4, DType::kI2});
  context.Check(matrix.shape.size() == 2, "its weights are not a matrix");
  context.Check(!matrix.shape[1].Is(0), "its weights have no columns");
  if (matrix.dtype == DType::kF32 && !matrix.is_constant) return;
  if (!matrix.is_constant) context.Fail(ErrorCode::kUnsupported, "its weights are not constant");
  CheckScales(context, matrix, matrix.shape[0].outer(), matrix.shape[1].outer());
}

}  // namespace

Type InferBatchMatMul(const TypeContext& context) {
  context.Require(0, {DType::kF32});
  context.Require(1, {DType::kF32});
  const auto& [adj_x, adj_y] = context.As<BatchMatMulAttributes>();
  SymbolicShape x = context.shape(0);
  SymbolicShape y = context.shape(1);
  context.Check(x.size() >= 2 && y.size() >= 2, "its inputs are not matrices");
  if (adj_x) std::swap(x[x.size() - 1], x[x.size() - 2]);
  if (adj_y) std::swap(y[y.size() - 1], y[y.size() - 2]);
  context.Check(x[x.size() - 1] == y[y.size() - 2], "its inputs differ along the summed axis");
  SymbolicShape shape =
      BroadcastShapes(context, {x.begin(), x.end() - 2}, {y.begin(), y.end() - 2});
  shape.push_back(x[x.size() - 2]);
  shape.push_back(y[y.size() - 1]);
  return {DType::kF32, shape};
}

Type InferEmbeddingLookup(const TypeContext& context) {
  context.Require(0, {DType::kI32});
  context.Check(context.rank(0) == 1, "its indices are not a vector");
  CheckMatrix(context, 1);
  context.Check(!context.shape(1)[0].is_rows(), "its table depends on the rows");
  return {DType::kF32, {context.shape(0)[0], context.shape(1)[1]}};
}

Type InferFullyConnected(const TypeContext& context) {
  context.Require(0, {DType::kF32});
  CheckMatrix(context, 1);
  const Dim& outputs = context.shape(1)[0];
  const Dim& columns = context.shape(1)[1];
  if (context.has(2)) {
    context.Require(2, {DType::kF32});
    context.Check(Count(context.shape(2)) == outputs, "its bias does not fit its weights");
  }
  SymbolicShape shape = context.shape(0);
  if (!shape.empty() && shape.back() == columns) {
    if (context.As<FullyConnectedAttributes>().keep_num_dims) {
      shape.back() = outputs;
      return {DType::kF32, shape};
    }
    shape.pop_back();
    return {DType::kF32, {Count(shape), outputs}};
  }
  // The input is taken as a plain sequence of rows, wherever its dimensions lie.
  const Dim count = Count(shape);
  if (count.is_rows() || columns.is_rows())
    context.Fail(ErrorCode::kUnsupported, "its input mixes rows and columns");
  context.Check(count.outer() % columns.outer() == 0, "its input does not fit its weights");
  return {DType::kF32, {count.outer() / columns.outer(), outputs}};
}

}  // namespace litertlm
