#include "tests/styles/composite_bodies.h"

namespace litertlm {

TensorId WriteNorm(StyleOps& ops, TensorId x, TensorId gains, double epsilon, bool divides) {
  const Shape whole = ops.ShapeOf(x);
  const auto n = static_cast<float>(whole.back());
  const TensorId sum = ops.Sum(ops.Multiply(x, x, "norm_squares"),
                               static_cast<int32_t>(whole.size()) - 1, "norm_sum");
  const TensorId mean = divides ? ops.Divide(sum, ops.Scalar(n, "norm_count"), "norm_mean")
                                : ops.Multiply(sum, ops.Scalar(1 / n, "norm_share"), "norm_mean");
  const TensorId variance =
      ops.Add(mean, ops.Scalar(static_cast<float>(epsilon), "norm_epsilon"), "norm_variance");
  Shape column = whole;
  column.back() = 1;
  const TensorId factor = ops.Rsqrt(ops.Reshape(variance, column, "norm_column"), "norm_rsqrt");
  return ops.Multiply(ops.Multiply(x, factor, "norm_unit"), gains, "norm");
}

TensorId WriteAttention(StyleOps& ops, const std::vector<TensorId>& inputs, double scale) {
  const auto heads_first = [&](TensorId x, int32_t heads, const std::string& name) {
    x = ops.Transpose(x, {0, 2, 1, 3}, name + "_heads_first");
    const Shape shape = ops.ShapeOf(x);
    const int32_t k = shape[1];
    if (k == heads) return x;
    x = ops.Reshape(x, {1, k, 1, shape[2], shape[3]}, name + "_before_repetition");
    x = ops.BroadcastTo(x, {1, k, heads / k, shape[2], shape[3]}, name + "_repetition");
    return ops.Reshape(x, {1, heads, shape[2], shape[3]}, name + "_repeated");
  };
  const int32_t n = ops.ShapeOf(inputs[0])[2];
  const TensorId query = ops.Multiply(heads_first(inputs[0], n, "query"),
                                      ops.Scalar(static_cast<float>(scale), "scale"), "scaled");
  const TensorId scores =
      ops.BatchMatMulTransposed(query, heads_first(inputs[1], n, "key"), "scores");
  const TensorId weights = ops.Softmax(ops.Add(scores, inputs[3], "scores_masked"), "softmax");
  const TensorId mixed = ops.BatchMatMul(weights, heads_first(inputs[2], n, "value"), "mixed");
  return ops.Transpose(mixed, {0, 2, 1, 3}, "mixed_rows_first");
}

TensorId WriteTransposedAttention(StyleOps& ops, const std::vector<TensorId>& inputs) {
  const Shape heads = ops.ShapeOf(inputs[0]);
  const int32_t k = ops.ShapeOf(inputs[1])[1];
  const int32_t c = ops.ShapeOf(inputs[1])[2];
  const int32_t g = heads[1] / k;
  const int32_t rows = g * heads[2];
  const TensorId query = ops.Reshape(inputs[0], {1, k, rows, heads[3]}, "query_stacked");
  const TensorId one = ops.BoolsToFloats(inputs[3], "mask_f32");
  const TensorId copies =
      ops.Concatenate(std::vector<TensorId>(static_cast<size_t>(g), one), 1, "mask_copies");
  const TensorId mask = ops.ReshapeBools(ops.NotEqual(copies, ops.Scalar(0, "zero"), "mask_bools"),
                                         {1, 1, rows, c}, "mask_stacked");
  const TensorId scores = ops.Select(mask, ops.BatchMatMulTransposed(query, inputs[1], "scores"),
                                     ops.Scalar(-1e30f, "hidden"), "scores_picked");
  const TensorId mixed =
      ops.BatchMatMulTransposed(ops.Softmax(scores, "softmax"), inputs[2], "mixed");
  return ops.Reshape(mixed, heads, "mixed_by_head");
}

}  // namespace litertlm
