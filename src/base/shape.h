// Concrete tensor shapes: a short list of extents without allocation.
#ifndef LITERTLM_BASE_SHAPE_H_
#define LITERTLM_BASE_SHAPE_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>

namespace litertlm {

inline constexpr int kMaxRank = 8;

/// Extents, outermost first; rank 0 is a scalar. Whoever makes one from a file's numbers has
/// checked that the rank is at most kMaxRank and that the product fits into 63 bits.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> extents) {
    for (const int64_t extent : extents) push_back(extent);
  }

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return extents_[axis]; }
  int64_t& operator[](int axis) { return extents_[axis]; }
  int64_t back() const { return extents_[rank_ - 1]; }
  void push_back(int64_t extent) { extents_[rank_++] = extent; }
  const int64_t* begin() const { return extents_.data(); }
  const int64_t* end() const { return extents_.data() + rank_; }

  int64_t count() const { return Product(0, rank_); }
  /// The product of the extents of axes [first, last).
  int64_t Product(int first, int last) const {
    int64_t product = 1;
    for (int axis = first; axis < last; ++axis) product *= extents_[axis];
    return product;
  }

  /// Elements between neighbours along each axis of a contiguous tensor.
  Shape Strides() const {
    Shape strides = *this;
    int64_t stride = 1;
    for (int axis = rank_ - 1; axis >= 0; --axis) {
      strides[axis] = stride;
      stride *= extents_[axis];
    }
    return strides;
  }

  bool operator==(const Shape& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  int rank_ = 0;
  std::array<int64_t, kMaxRank> extents_{};
};

}  // namespace litertlm

#endif  // LITERTLM_BASE_SHAPE_H_
