// Types of the operators that move data.
#include <fmt/format.h>

#include <algorithm>

#include "graph/types.h"

namespace litertlm {

Type InferBroadcastTo(const TypeContext& context) {
  context.RequireWholeBytes(0);
  const SymbolicShape& from = context.shape(0);
  SymbolicShape target = Symbolic(context.As<TargetAttributes>().shape);
  context.Check(from.size() <= target.size(), "its target has a lower rank than its input");
  const size_t offset = target.size() - from.size();
  for (size_t i = 0; i < from.size(); ++i) {
    Dim& dim = target[offset + i];
    context.Check(from[i].Is(1) || from[i].At(context.file_rows()) == dim.outer(),
                  "its target does not fit its input");
    if (!from[i].Is(1)) dim = from[i];
  }
  return {context.in(0).dtype, target};
}

Type InferConcatenation(const TypeContext& context) {
  const int axis = context.As<ConcatenationAttributes>().axis;
  SymbolicShape shape = context.shape(0);
  context.RequireWholeBytes(0);
  context.Check(axis >= 0 && axis < context.rank(0), "its axis is out of range");
  int64_t extent = 0;
  for (size_t i = 0; i < context.inputs(); ++i) {
    context.RequireSameDType(i);
    context.Check(context.rank(i) == context.rank(0), "its inputs differ in rank");
    for (int j = 0; j < context.rank(0); ++j) {
      context.Check(j == axis || context.shape(i)[j] == shape[j], "its inputs differ in shape");
    }
    const Dim& dim = context.shape(i)[axis];
    if (dim.is_rows() && context.inputs() > 1) {
      context.Fail(ErrorCode::kUnsupported, "it joins along the rows");
    }
    // Each extent is at most kMaxElements, and inputs are few.
    extent += dim.outer();
  }
  if (context.inputs() > 1) shape[axis] = extent;
  return {context.in(0).dtype, shape};
}

Type InferDynamicUpdateSlice(const TypeContext& context) {
  context.RequireWholeBytes(0);
  context.RequireSameDType(1);
  context.Require(2, {DType::kI32, DType::kI64});
  context.Check(context.rank(1) == context.rank(0), "operand and update differ in rank");
  context.Check(context.rank(2) == 1 && context.shape(2)[0].Is(context.rank(0)),
                "it needs one start index for each axis");
  for (int axis = 0; axis < context.rank(0); ++axis) {
    context.Check(!context.shape(0)[axis].is_rows() || context.shape(0) == context.shape(1),
                  "its operand depends on the rows");
    context.Check(context.shape(1)[axis].At(context.file_rows()) <=
                      context.shape(0)[axis].At(context.file_rows()),
                  "its update is larger than its operand");
  }
  return {context.in(0).dtype, context.shape(0)};
}

Type InferGather(const TypeContext& context) {
  context.RequireWholeBytes(0);
  context.Require(1, {DType::kI32, DType::kI64});
  const auto& [axis, batch_dims] = context.As<GatherAttributes>();
  const SymbolicShape& table = context.shape(0);
  const SymbolicShape& indices = context.shape(1);
  context.Check(axis >= 0 && axis < context.rank(0), "its axis is out of range");
  context.Check(batch_dims >= 0 && batch_dims <= axis && batch_dims <= context.rank(1),
                "its number of batch dimensions is out of range");
  for (int i = 0; i < batch_dims; ++i) {
    context.Check(table[i] == indices[i], "its batch dimensions differ");
  }
  SymbolicShape shape(table.begin(), table.begin() + axis);
  shape.insert(shape.end(), indices.begin() + batch_dims, indices.end());
  shape.insert(shape.end(), table.begin() + axis + 1, table.end());
  return {context.in(0).dtype, shape};
}

Type InferPad(const TypeContext& context) {
  context.RequireWholeBytes(0);
  if (context.has(1)) {
    context.RequireSameDType(1);
    context.Check(Count(context.shape(1)).Is(1), "its padding value is not a scalar");
  }
  const auto& [before, after] = context.As<PerAxisAttributes>();
  context.Check(before.rank() == context.rank(0), "its paddings do not fit its input's rank");
  SymbolicShape shape = context.shape(0);
  for (int axis = 0; axis < before.rank(); ++axis) {
    context.Check(before[axis] >= 0 && after[axis] >= 0, "a padding is negative");
    if (before[axis] == 0 && after[axis] == 0) continue;
    if (shape[axis].is_rows()) context.Fail(ErrorCode::kUnsupported, "it pads the rows");
    shape[axis] = shape[axis].outer() + before[axis] + after[axis];
  }
  return {context.in(0).dtype, shape};
}

// Rows keep their place in memory. One step from row to row moves by `stride` elements, so all rows
// together span [stride, stride * rows); the dimension of the target that spans this interval is
// the one that carries them.
Type InferReshape(const TypeContext& context) {
  context.RequireWholeBytes(0);
  const SymbolicShape& from = context.shape(0);
  const Shape& target = context.As<TargetAttributes>().shape;
  const int64_t file_rows = context.file_rows();
  context.Check(Concrete(from, file_rows).count() == target.count(),
                "its target has another number of elements than its input");
  SymbolicShape shape = Symbolic(target);
  const Dim count = Count(from);
  if (!count.is_rows()) return {context.in(0).dtype, shape};

  const int64_t stride = count.inner();
  int64_t inner = 1;  // Elements between neighbours along `axis`.
  for (int axis = target.rank() - 1; axis >= 0; --axis) {
    const int64_t outer = inner * target[axis];
    if (inner <= stride && outer >= stride * file_rows && stride % inner == 0 &&
        outer % (stride * file_rows) == 0) {
      shape[axis] = Dim::Rows(outer / (stride * file_rows), stride / inner);
      return {context.in(0).dtype, shape};
    }
    inner = outer;
  }
  context.Fail(ErrorCode::kUnsupported,
               fmt::format("no dimension of its target holds the rows of {}", ToString(from)));
}

Type InferScatterNd(const TypeContext& context) {
  context.Require(0, {DType::kI32, DType::kI64});
  context.Require(1, {DType::kF32, DType::kI32, DType::kI64});
  const SymbolicShape& indices = context.shape(0);
  const SymbolicShape target = Symbolic(context.As<TargetAttributes>().shape);
  context.Check(!indices.empty() && !indices.back().is_rows() && indices.back().outer() >= 1 &&
                    indices.back().outer() <= static_cast<int64_t>(target.size()),
                "its indices do not fit its target's rank");
  SymbolicShape updates(indices.begin(), indices.end() - 1);
  updates.insert(updates.end(), target.begin() + indices.back().outer(), target.end());
  context.Check(context.shape(1) == updates, "its updates do not fit its indices and target");
  return {context.in(1).dtype, target};
}

Type InferSlice(const TypeContext& context) {
  context.RequireWholeBytes(0);
  const auto& [begin, size, stride] = context.As<SliceAttributes>();
  SymbolicShape shape = context.shape(0);
  context.Check(begin.rank() == context.rank(0) && size.rank() == context.rank(0),
                "its bounds do not fit its input's rank");
  for (int axis = 0; axis < begin.rank(); ++axis) {
    const int64_t extent = shape[axis].At(context.file_rows());
    context.Check(size[axis] >= 0 && size[axis] <= extent, "a size is out of range");
    const int64_t last = begin[axis] + (size[axis] - 1) * stride[axis];
    context.Check(
        size[axis] == 0 || (begin[axis] >= 0 && begin[axis] < extent && last >= 0 && last < extent),
        "its bounds lie outside its input");
    const bool whole = begin[axis] == 0 && size[axis] == extent && stride[axis] == 1;
    if (whole) continue;
    // A part of the first row is there for any number of rows; other parts are not.
    if (shape[axis].is_rows() &&
        (begin[axis] >= shape[axis].inner() || last >= shape[axis].inner())) {
      context.Fail(ErrorCode::kUnsupported, "it cuts the rows");
    }
    shape[axis] = size[axis];
  }
  return {context.in(0).dtype, shape};
}

Type InferTile(const TypeContext& context) {
  context.RequireWholeBytes(0);
  const Shape& repetitions = context.As<PerAxisAttributes>().before;
  SymbolicShape shape = context.shape(0);
  context.Check(repetitions.rank() == context.rank(0), "it needs one multiple for each axis");
  for (int axis = 0; axis < repetitions.rank(); ++axis) {
    const int64_t multiple = repetitions[axis];
    context.Check(
        multiple >= 0 &&
            multiple <= kMaxElements / std::max<int64_t>(shape[axis].At(context.file_rows()), 1),
        "a multiple is out of range");
    shape[axis] = shape[axis].is_rows()
                      ? Dim::Rows(shape[axis].outer() * multiple, shape[axis].inner())
                      : Dim(shape[axis].outer() * multiple);
  }
  return {context.in(0).dtype, shape};
}

Type InferTranspose(const TypeContext& context) {
  context.RequireWholeBytes(0);
  const Shape& permutation = context.As<PermutationAttributes>().permutation;
  context.Check(permutation.rank() == context.rank(0), "its permutation does not fit the rank");
  SymbolicShape shape;
  uint32_t seen = 0;
  for (const int64_t axis : permutation) {
    context.Check(axis >= 0 && axis < context.rank(0) && (seen & (1u << axis)) == 0,
                  "its permutation is not one");
    seen |= 1u << axis;
    shape.push_back(context.shape(0)[axis]);
  }
  return {context.in(0).dtype, shape};
}

}  // namespace litertlm
