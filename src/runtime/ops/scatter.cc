// y = zeros, to which updates are added at indices.
#include <algorithm>

#include "kernels/scalar/functions.h"
#include "litertlm/error.h"
#include "runtime/tensor.h"

namespace litertlm {
namespace {

// Where the part of `out` begins that one vector of `depth` indices names.
template <typename Index>
int64_t OffsetOf(const Index* index, int depth, const Tensor& out, const Tensor& indices) {
  const Shape strides = out.shape.Strides();
  int64_t offset = 0;
  for (int axis = 0; axis < depth; ++axis) {
    if (index[axis] < 0 || index[axis] >= out.shape[axis]) {
      throw Error(ErrorCode::kBadInput, "an index of '" + indices.value->name +
                                            "' lies outside of '" + out.value->name + "'.");
    }
    offset += index[axis] * strides[axis];
  }
  return offset;
}

template <typename T, typename Index>
void Scatter(const OpContext& context) {
  const Tensor& indices = context.in(0);
  const Tensor& out = context.out();
  const auto depth = static_cast<int>(indices.shape.back());
  const int64_t size = out.shape.Product(depth, out.shape.rank());
  const T* update = context.in(1).as<T>();
  T* y = out.mutable_as<T>();
  std::fill_n(y, out.count(), T{0});
  for (int64_t i = 0; i < indices.count(); i += depth, update += size) {
    T* part = y + OffsetOf(indices.as<Index>() + i, depth, out, indices);
    for (int64_t j = 0; j < size; ++j) part[j] = scalar::Add(part[j], update[j]);
  }
}

template <typename T>
void ScatterAt(const OpContext& context) {
  if (context.in(0).dtype() == DType::kI64) return Scatter<T, int64_t>(context);
  Scatter<T, int32_t>(context);
}

}  // namespace

void RunScatterNd(const OpContext& context) {
  switch (context.out().dtype()) {
    case DType::kI32:
      return ScatterAt<int32_t>(context);
    case DType::kI64:
      return ScatterAt<int64_t>(context);
    default:
      return ScatterAt<float>(context);
  }
}

}  // namespace litertlm
