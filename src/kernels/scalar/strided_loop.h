// Nested loops over tensors that share extents but lie differently in memory.
#ifndef LITERTLM_KERNELS_SCALAR_STRIDED_LOOP_H_
#define LITERTLM_KERNELS_SCALAR_STRIDED_LOOP_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/shape.h"

namespace litertlm {

/// Visits the elements of `kCount` tensors together, row by row; a row is the innermost loop. All
/// counts and strides are in elements; a stride of 0 repeats an element (broadcasting). Axes of
/// extent 1 are dropped and axes that every tensor steps through evenly become one, so that most
/// loops of real models have one or two axes.
template <int kCount>
class StridedLoop {
 public:
  using Offsets = std::array<int64_t, kCount>;

  StridedLoop(const Shape& extents, const std::array<Shape, kCount>& strides) {
    for (int axis = 0; axis < extents.rank(); ++axis) {
      if (extents[axis] == 1) continue;
      if (extents_.rank() > 0 && Continues(strides, axis, extents[axis])) {
        extents_[extents_.rank() - 1] *= extents[axis];
        for (int i = 0; i < kCount; ++i) strides_[i][extents_.rank() - 1] = strides[i][axis];
        continue;
      }
      extents_.push_back(extents[axis]);
      for (int i = 0; i < kCount; ++i) strides_[i].push_back(strides[i][axis]);
    }
    if (extents_.rank() == 0) {
      extents_.push_back(1);
      for (Shape& stride : strides_) stride.push_back(0);
    }
  }

  int64_t row_length() const { return extents_.back(); }
  int64_t row_stride(int tensor) const { return strides_[tensor].back(); }
  int64_t rows() const { return extents_.Product(0, extents_.rank() - 1); }

  /// Calls `f(offsets)` with the offset of the first element in each tensor, for rows
  /// [first, last).
  template <typename F>
  void ForRows(int64_t first, int64_t last, F&& f) const {
    for (int64_t row = first; row < last; ++row) {
      Offsets offsets{};
      int64_t rest = row;
      for (int axis = extents_.rank() - 2; axis >= 0; --axis) {
        const int64_t index = rest % extents_[axis];
        rest /= extents_[axis];
        for (int i = 0; i < kCount; ++i) offsets[i] += index * strides_[i][axis];
      }
      f(offsets);
    }
  }

 private:
  // True if stepping through the axis before ends where the next step of that axis begins.
  bool Continues(const std::array<Shape, kCount>& strides, int axis, int64_t extent) const {
    for (int i = 0; i < kCount; ++i) {
      if (strides_[i].back() != strides[i][axis] * extent) return false;
    }
    return true;
  }

  Shape extents_;
  std::array<Shape, kCount> strides_;
};

/// Strides of a contiguous tensor of shape `from` when it is broadcast to `to`.
inline Shape BroadcastStrides(const Shape& from, const Shape& to) {
  const Shape own = from.Strides();
  Shape strides;
  const int missing = to.rank() - from.rank();
  for (int axis = 0; axis < to.rank(); ++axis) {
    const bool repeats = axis < missing || from[axis - missing] == 1;
    strides.push_back(repeats ? 0 : own[axis - missing]);
  }
  return strides;
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SCALAR_STRIDED_LOOP_H_
