// Types of the operators that fusions make.
#include "base/cache_row.h"
#include "graph/types.h"

namespace litertlm {
namespace {

bool IsRowOf(const Value& cache, const Dim& size) {
  return !size.is_rows() && cache.shape[2].Is(CacheRowLength(cache.dtype, size.outer()));
}

// Inputs `first` and following: tables of cosines and sines, and the gains of a norm if there is
// one, for input `x`, whose rows are counted by axis `row_axis`. A row of the tables has half as
// many numbers as one of `x`, or as many, of which the second half repeats the first.
void CheckRotation(const TypeContext& context, size_t x, int row_axis, size_t first) {
  const SymbolicShape& shape = context.shape(x);
  for (size_t i = first; i < context.inputs(); ++i) context.Require(i, {DType::kF32});
  context.Check(context.has(first) && context.has(first + 1), "a table of angles is missing");
  const SymbolicShape& cos = context.shape(first);
  const SymbolicShape& sin = context.shape(first + 1);
  context.Check(row_axis >= 0 && row_axis + 1 < context.rank(x),
                "its axis of rows is out of range");
  context.Check(!shape.back().is_rows() && shape.back().outer() % 2 == 0, "its size is odd");
  context.Check(Count(cos) == Count(sin) && !cos.empty(), "its tables differ");
  const int64_t width = cos.back().outer();
  context.Check(2 * width == shape.back().outer() || width == shape.back().outer(),
                "its tables have another width");
  context.Check(
      Count(cos).At(context.file_rows()) == width * shape[row_axis].At(context.file_rows()),
      "its tables have another number of rows");
  context.Check(!context.has(first + 2) || Count(context.shape(first + 2)) == shape.back(),
                "its gains do not fit its size");
}

}  // namespace

// attention(queries, keys, values, positions, cos, sin, gains): for each row and head
// softmax(scale * q · keysᵀ) · values over the positions that the row sees. Queries are rank 4,
// caches [heads, positions, CacheRowLength()]; row i stands at positions[0] + i. With tables,
// queries are turned as by rope() first. The result has the layout of the queries.
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
  if (context.inputs() > 4) CheckRotation(context, 0, heads_first ? 2 : 1, 4);
  return {DType::kF32, context.shape(0)};
}

// update(cache, new rows, positions, cos, sin, gains): the cache with the new rows, turned as by
// rope() if there are tables, at positions[0] and following.
Type InferCacheUpdate(const TypeContext& context) {
  context.Require(0, {DType::kF32, DType::kF16, DType::kI8});
  context.Require(1, {DType::kF32});
  context.Require(2, {DType::kI32});
  const bool heads_first = context.As<CacheUpdateAttributes>().heads_first;
  context.Check(context.rank(0) == 3 && context.rank(1) == 4, "its inputs have another rank");
  context.Check(context.shape(1)[heads_first ? 1 : 2] == context.shape(0)[0] &&
                    IsRowOf(context.in(0), context.shape(1)[3]),
                "its new rows do not fit its cache");
  if (context.inputs() > 3) CheckRotation(context, 1, heads_first ? 2 : 1, 3);
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
// its last axis turned by the angles of their row.
Type InferRope(const TypeContext& context) {
  context.Require(0, {DType::kF32});
  CheckRotation(context, 0, context.As<RopeAttributes>().row_axis, 1);
  return {DType::kF32, context.shape(0)};
}

}  // namespace litertlm
