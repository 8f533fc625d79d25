// Shapes in which one number is left open: how many rows (tokens) are computed at once.
#ifndef LITERTLM_GRAPH_SYMBOLIC_SHAPE_H_
#define LITERTLM_GRAPH_SYMBOLIC_SHAPE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/shape.h"

namespace litertlm {

/// One dimension: a number, or `outer` x rows x `inner`. Rows that were merged with neighbouring
/// dimensions keep their place: in [heads, rows, size] reshaped to [heads * rows, size] the factor
/// `heads` is outer, because a step from one row to the next moves by `inner` = 1 index.
class Dim {
 public:
  Dim(int64_t value) : outer_(value) {}  // NOLINT(google-explicit-constructor)
  static Dim Rows(int64_t outer = 1, int64_t inner = 1) { return Dim(outer, inner); }

  bool is_rows() const { return inner_ != 0; }
  int64_t outer() const { return outer_; }
  int64_t inner() const { return inner_; }
  int64_t At(int64_t rows) const { return is_rows() ? outer_ * rows * inner_ : outer_; }
  /// True for a dimension that is `value` whatever the number of rows.
  bool Is(int64_t value) const { return !is_rows() && outer_ == value; }

  bool operator==(const Dim&) const = default;

 private:
  Dim(int64_t outer, int64_t inner) : outer_(outer), inner_(inner) {}
  int64_t outer_;
  int64_t inner_ = 0;  // 0: a plain number.
};

using SymbolicShape = std::vector<Dim>;

/// Elements that one tensor may have: far beyond any real model, and small enough that sums and
/// products of a few such counts cannot overflow.
inline constexpr int64_t kMaxElements = int64_t{1} << 40;

/// The shape for that many rows. Throws kUnsupported beyond kMaxElements.
Shape Concrete(std::span<const Dim> shape, int64_t rows);
/// A shape without rows.
SymbolicShape Symbolic(const Shape& shape);
/// The product of all dimensions, of which at most one may depend on the rows, else kUnsupported.
Dim Count(std::span<const Dim> dims);
/// "[1, 8, rows, 64]".
std::string ToString(std::span<const Dim> shape);

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_SYMBOLIC_SHAPE_H_
