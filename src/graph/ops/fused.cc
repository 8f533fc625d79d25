// Types of the operators that fusions make.
#include "base/cache_row.h"
#include "graph/types.h"

namespace litertlm {
namespace {

bool IsRowOf(const Value& cache, const Dim& size) {
  return !size.is_rows() && cache.shape[2].Is(CacheRowLength(cache.dtype, size.outer()));
}

}  // namespace

// attention(queries, keys, values, positions): for each row and head softmax(scale * q · keysᵀ) ·
// values over the positions that the row sees. Queries are rank 4, caches [heads, positions,
// CacheRowLength()]; row i stands at positions[0] + i. The result has the layout of the queries.
Type InferAttention(const TypeContext& context) {
  context.Require(0, {DType::kF32});
  context.Require(1, {DType::kF32, DType::kF16, DType::kI8});
  context.Require(3, {DType::kI32});
  const bool heads_first = context.As<AttentionAttributes>().heads_first;
  context.Check(context.rank(0) == 4 && context.rank(1) == 3, "its inputs have another rank");
  context.Check(context.in(1).dtype == context.in(2).dtype && context.shape(1) == context.shape(2),
                "its caches differ");
  const Dim& heads = context.shape(0)[heads_first ? 1 : 2];
  const Dim& kv_heads = context.shape(1)[0];
  context.Check(context.shape(0)[0].Is(1) && !heads.is_rows() && kv_heads.outer() > 0 &&
                    heads.outer() % kv_heads.outer() == 0 &&
                    IsRowOf(context.in(1), context.shape(0)[3]),
                "its queries do not fit its caches");
  return {DType::kF32, context.shape(0)};
}

// update(cache, new rows, positions): the cache with the new rows at positions[0] and following.
Type InferCacheUpdate(const TypeContext& context) {
  context.Require(0, {DType::kF32, DType::kF16, DType::kI8});
  context.Require(1, {DType::kF32});
  context.Require(2, {DType::kI32});
  const int heads_axis = context.As<CacheUpdateAttributes>().heads_first ? 1 : 2;
  context.Check(context.rank(0) == 3 && context.rank(1) == 4, "its inputs have another rank");
  context.Check(context.shape(1)[heads_axis] == context.shape(0)[0] &&
                    IsRowOf(context.in(0), context.shape(1)[3]),
                "its new rows do not fit its cache");
  return {context.in(0).dtype, context.shape(0)};
}

// silu(gate) * up, or the same with the tanh form of GELU.
Type InferGatedProduct(const TypeContext& context) {
  context.Require(0, {DType::kF32});
  context.Require(1, {DType::kF32});
  context.Check(context.shape(0) == context.shape(1), "its inputs differ in shape");
  return {DType::kF32, context.shape(0)};
}

// rope(x, cos, sin, gains): x, normed if there are gains, with the elements i and i + size / 2 of
// its last axis turned by the angles of their row. A row of the tables has size / 2 numbers, or
// `size` of which the second half repeats the first.
Type InferRope(const TypeContext& context) {
  for (size_t i = 0; i < context.inputs(); ++i) context.Require(i, {DType::kF32});
  const SymbolicShape& shape = context.shape(0);
  const int axis = context.As<RopeAttributes>().row_axis;
  context.Check(axis >= 0 && axis + 1 < context.rank(0), "its axis of rows is out of range");
  context.Check(!shape.back().is_rows() && shape.back().outer() % 2 == 0, "its size is odd");
  context.Check(Count(context.shape(1)) == Count(context.shape(2)) && !context.shape(1).empty(),
                "its tables differ");
  const int64_t width = context.shape(1).back().outer();
  context.Check(2 * width == shape.back().outer() || width == shape.back().outer(),
                "its tables have another width");
  context.Check(Count(context.shape(1)).At(context.file_rows()) ==
                    width * shape[axis].At(context.file_rows()),
                "its tables have another number of rows");
  context.Check(!context.has(3) || Count(context.shape(3)) == shape.back(),
                "its gains do not fit its size");
  return {DType::kF32, shape};
}

}  // namespace litertlm
