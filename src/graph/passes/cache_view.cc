#include "graph/passes/cache_view.h"

namespace litertlm {

CacheView::CacheView(const SymbolicShape& shape, const std::vector<CacheAxis>& axes) {
  for (size_t i = 0; i < axes.size(); ++i) {
    dimensions_.emplace_back();
    if (!shape[i].Is(1)) dimensions_.back().push_back({axes[i], shape[i].outer()});
  }
}

bool CacheView::IsView(Op op) {
  return op == Op::kTranspose || op == Op::kReshape || op == Op::kBroadcastTo || op == Op::kTile;
}

bool CacheView::Follow(const Node& node, const Graph& graph) {
  const SymbolicShape& from = graph.value(node.inputs[0]).shape;
  const SymbolicShape& to = graph.value(node.outputs[0]).shape;
  if (node.op == Op::kReshape) return Reshape(to);
  if (node.op == Op::kBroadcastTo || node.op == Op::kTile) return Repeat(from, to);
  if (node.op != Op::kTranspose) return false;
  std::vector<Dimension> moved;
  for (const int64_t axis : node.As<PermutationAttributes>().permutation) {
    moved.push_back(dimensions_[static_cast<size_t>(axis)]);
  }
  dimensions_ = std::move(moved);
  return true;
}

bool CacheView::Reshape(const SymbolicShape& shape) {
  Dimension runs;
  for (const Dimension& dimension : dimensions_) {
    runs.insert(runs.end(), dimension.begin(), dimension.end());
  }
  dimensions_.clear();
  auto next = runs.begin();
  for (const Dim& dim : shape) {
    Dimension& dimension = dimensions_.emplace_back();
    for (int64_t extent = 1; extent < dim.outer(); extent *= next++->extent) {
      if (next == runs.end() || dim.outer() % (extent * next->extent) != 0) return false;
      dimension.push_back(*next);
    }
  }
  return next == runs.end();
}

bool CacheView::Repeat(const SymbolicShape& from, const SymbolicShape& to) {
  if (from.size() != to.size()) return false;
  for (size_t i = 0; i < to.size(); ++i) {
    if (from[i] == to[i]) continue;
    if (!from[i].Is(1) || to[i].is_rows()) return false;
    dimensions_[i] = {{CacheAxis::kRepetition, to[i].outer()}};
  }
  return true;
}

std::optional<int64_t> CacheView::Repetitions(CacheAxis third, CacheAxis fourth) const {
  const auto is = [](const Dimension& dimension, CacheAxis axis) {
    return dimension.empty() || (dimension.size() == 1 && dimension[0].axis == axis);
  };
  if (dimensions_.size() != 4 || !dimensions_[0].empty() || !is(dimensions_[2], third) ||
      !is(dimensions_[3], fourth)) {
    return std::nullopt;
  }
  // The repetitions of a head stand side by side.
  Dimension heads = dimensions_[1];
  int64_t repetitions = 1;
  if (!heads.empty() && heads.back().axis == CacheAxis::kRepetition) {
    repetitions = heads.back().extent;
    heads.pop_back();
  }
  return is(heads, CacheAxis::kHeads) ? std::optional(repetitions) : std::nullopt;
}

}  // namespace litertlm
