#include "graph/symbolic_shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "litertlm/error.h"

namespace litertlm {

Shape Concrete(std::span<const Dim> shape, int64_t rows) {
  Shape result;
  int64_t count = 1;
  for (const Dim& dim : shape) {
    int64_t factor = 0;
    if (dim.is_rows() && (__builtin_mul_overflow(dim.outer(), rows, &factor) ||
                          __builtin_mul_overflow(factor, dim.inner(), &factor))) {
      factor = kMaxElements + 1;
    }
    result.push_back(dim.is_rows() ? factor : dim.outer());
    // An extent of zero must not hide the size of the others from sums of partial products.
    const int64_t extent = std::max<int64_t>(result.back(), 1);
    if (extent > kMaxElements / count) {
      throw Error(
          ErrorCode::kUnsupported,
          fmt::format("a tensor of shape {} for {} rows is too large", ToString(shape), rows));
    }
    count *= extent;
  }
  return result;
}

SymbolicShape Symbolic(const Shape& shape) { return {shape.begin(), shape.end()}; }

Dim Count(std::span<const Dim> dims) {
  int64_t before = 1;
  int64_t after = 1;
  const Dim* rows = nullptr;
  for (const Dim& dim : dims) {
    if (!dim.is_rows()) {
      (rows == nullptr ? before : after) *= dim.outer();
    } else if (rows == nullptr) {
      rows = &dim;
    } else {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("two dimensions of {} depend on the rows", ToString(dims)));
    }
  }
  return rows == nullptr ? Dim(before) : Dim::Rows(before * rows->outer(), rows->inner() * after);
}

std::string ToString(std::span<const Dim> shape) {
  std::vector<std::string> parts;
  for (const Dim& dim : shape) {
    const int64_t factor = dim.is_rows() ? dim.outer() * dim.inner() : dim.outer();
    if (!dim.is_rows()) {
      parts.push_back(fmt::format("{}", factor));
    } else {
      parts.push_back(factor == 1 ? "rows" : fmt::format("{} x rows", factor));
    }
  }
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

}  // namespace litertlm
