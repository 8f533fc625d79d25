// Operators that move data: all are one strided copy, or a few.
#include <algorithm>
#include <cstring>

#include "kernels/scalar/strided_loop.h"
#include "litertlm/error.h"
#include "runtime/parallel.h"
#include "runtime/tensor.h"

namespace litertlm {
namespace {

/// A block of elements somewhere in a tensor.
struct Region {
  std::byte* data;
  Shape strides;  ///< In elements.
};

template <typename T>
void CopyElements(const StridedLoop<2>& loop, const Region& from, const Region& to,
                  ThreadPool& pool) {
  const T* source = reinterpret_cast<const T*>(from.data);
  T* target = reinterpret_cast<T*>(to.data);
  const int64_t length = loop.row_length();
  const int64_t step = loop.row_stride(0);
  const int64_t target_step = loop.row_stride(1);
  ParallelRanges(pool, loop.rows(), length, [&](int64_t first, int64_t last) {
    loop.ForRows(first, last, [&](const auto& at) {
      const T* s = source + at[0];
      T* t = target + at[1];
      if (step == 1 && target_step == 1) {
        std::memcpy(t, s, static_cast<size_t>(length) * sizeof(T));
      } else {
        for (int64_t i = 0; i < length; ++i) t[i * target_step] = s[i * step];
      }
    });
  });
}

void Copy(const OpContext& context, const Shape& extents, const Region& from, const Region& to) {
  if (extents.count() == 0) return;
  const StridedLoop<2> loop(extents, {from.strides, to.strides});
  ThreadPool& pool = context.workers.pool;
  switch (Info(context.out().dtype()).bits) {
    case 8:
      return CopyElements<uint8_t>(loop, from, to, pool);
    case 16:
      return CopyElements<uint16_t>(loop, from, to, pool);
    case 32:
      return CopyElements<uint32_t>(loop, from, to, pool);
    default:
      return CopyElements<uint64_t>(loop, from, to, pool);
  }
}

Region Whole(const Tensor& tensor) { return {tensor.data, tensor.shape.Strides()}; }

int64_t BytesOf(const Tensor& tensor) { return Info(tensor.dtype()).bits / 8; }

/// The block of `tensor` that begins at index `begin`.
Region At(const Tensor& tensor, const Shape& begin) {
  Region region = Whole(tensor);
  int64_t offset = 0;
  for (int axis = 0; axis < begin.rank(); ++axis) offset += begin[axis] * region.strides[axis];
  region.data += offset * BytesOf(tensor);
  return region;
}

Shape Zeros(int rank) {
  Shape shape;
  for (int i = 0; i < rank; ++i) shape.push_back(0);
  return shape;
}

void CopyWhole(const Tensor& from, const Tensor& to) {
  const auto bytes = static_cast<size_t>(from.count() * BytesOf(from));
  if (from.data != to.data && bytes > 0) std::memcpy(to.data, from.data, bytes);
}

int64_t IndexAt(const Tensor& indices, int64_t i) {
  return indices.dtype() == DType::kI64 ? indices.as<int64_t>()[i] : indices.as<int32_t>()[i];
}

}  // namespace

// Where the planner could let both share memory there is nothing to do.
void RunReshape(const OpContext& context) { CopyWhole(context.in(0), context.out()); }

void RunBroadcastTo(const OpContext& context) {
  const Shape& shape = context.out().shape;
  Copy(context, shape, {context.in(0).data, BroadcastStrides(context.in(0).shape, shape)},
       Whole(context.out()));
}

void RunTranspose(const OpContext& context) {
  const Shape strides = context.in(0).shape.Strides();
  Shape permuted;
  for (const int64_t axis : context.As<PermutationAttributes>().permutation) {
    permuted.push_back(strides[static_cast<int>(axis)]);
  }
  Copy(context, context.out().shape, {context.in(0).data, permuted}, Whole(context.out()));
}

void RunSlice(const OpContext& context) {
  if (context.out().count() == 0) return;
  const auto& attributes = context.As<SliceAttributes>();
  Region from = At(context.in(0), attributes.begin);
  for (int axis = 0; axis < from.strides.rank(); ++axis) {
    from.strides[axis] *= attributes.stride[axis];
  }
  Copy(context, context.out().shape, from, Whole(context.out()));
}

void RunConcatenation(const OpContext& context) {
  const int axis = context.As<ConcatenationAttributes>().axis;
  Shape begin = Zeros(context.out().shape.rank());
  for (size_t i = 0; i < context.inputs(); ++i) {
    const Tensor& part = context.in(i);
    if (part.count() > 0) {
      Copy(context, part.shape, Whole(part), At(context.out(), begin));
    }
    begin[axis] += part.shape[axis];
  }
}

void RunTile(const OpContext& context) {
  const Tensor& in = context.in(0);
  const Tensor& out = context.out();
  if (out.count() == 0) return;
  const Shape& repetitions = context.As<PerAxisAttributes>().before;
  Shape begin = Zeros(in.shape.rank());
  for (int64_t copy = 0; copy < repetitions.count(); ++copy) {
    int64_t rest = copy;
    for (int axis = in.shape.rank() - 1; axis >= 0; --axis) {
      begin[axis] = rest % repetitions[axis] * in.shape[axis];
      rest /= repetitions[axis];
    }
    Copy(context, in.shape, Whole(in), At(out, begin));
  }
}

void RunPad(const OpContext& context) {
  const Tensor& out = context.out();
  const int64_t size = BytesOf(out);
  if (context.has(1)) {
    for (int64_t i = 0; i < out.count(); ++i) {
      std::memcpy(out.data + i * size, context.in(1).data, static_cast<size_t>(size));
    }
  } else if (out.count() > 0) {
    std::memset(out.data, 0, static_cast<size_t>(out.count() * size));
  }
  if (context.in(0).count() == 0) return;
  Copy(context, context.in(0).shape, Whole(context.in(0)),
       At(out, context.As<PerAxisAttributes>().before));
}

void RunGather(const OpContext& context) {
  const auto& [axis, batch_dims] = context.As<GatherAttributes>();
  const Tensor& table = context.in(0);
  const Tensor& indices = context.in(1);
  const Shape& shape = table.shape;
  const int64_t batches = shape.Product(0, batch_dims);
  const int64_t outer = shape.Product(batch_dims, axis);
  const int64_t inner = shape.Product(axis + 1, shape.rank()) * BytesOf(table);
  const int64_t per_batch = indices.shape.Product(batch_dims, indices.shape.rank());
  std::byte* y = context.out().data;
  for (int64_t row = 0; row < batches * outer; ++row) {
    for (int64_t i = 0; i < per_batch; ++i, y += inner) {
      const int64_t index = IndexAt(indices, row / outer * per_batch + i);
      if (index < 0 || index >= shape[axis]) {
        throw Error(ErrorCode::kBadInput, "an index of '" + indices.value->name +
                                              "' lies outside of '" + table.value->name + "'.");
      }
      if (inner > 0) {
        std::memcpy(y, table.data + (row * shape[axis] + index) * inner,
                    static_cast<size_t>(inner));
      }
    }
  }
}

// The start is moved back so that the update fits, as the format defines it.
void RunDynamicUpdateSlice(const OpContext& context) {
  const Tensor& update = context.in(1);
  const Tensor& out = context.out();
  CopyWhole(context.in(0), out);
  Shape begin;
  for (int axis = 0; axis < out.shape.rank(); ++axis) {
    const int64_t highest = out.shape[axis] - update.shape[axis];
    if (highest < 0) {
      throw Error(ErrorCode::kBadInput, "'" + update.value->name + "' is larger than '" +
                                            out.value->name + "', into which it is written.");
    }
    begin.push_back(std::clamp<int64_t>(IndexAt(context.in(2), axis), 0, highest));
  }
  if (update.count() == 0) return;
  Copy(context, update.shape, Whole(update), At(out, begin));
}

}  // namespace litertlm
