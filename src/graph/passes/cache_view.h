// Which axis of a cache lies where in a value that shows the cache in another order.
#ifndef LITERTLM_GRAPH_PASSES_CACHE_VIEW_H_
#define LITERTLM_GRAPH_PASSES_CACHE_VIEW_H_

#include <optional>
#include <vector>

#include "graph/ir.h"

namespace litertlm {

enum class CacheAxis { kBatch, kHeads, kPositions, kSize, kRepetition };

/// Follows a cache through transpositions, reshapes and repetitions.
class CacheView {
 public:
  /// `axes` are those of the cache, whose shape must not depend on rows.
  CacheView(const SymbolicShape& shape, const std::vector<CacheAxis>& axes);

  /// True for operators that `Follow` knows.
  static bool IsView(Op op);
  /// What `node` makes of it. False if that is no view, or one that cuts an axis apart.
  bool Follow(const Node& node, const Graph& graph);
  /// If it is [1, heads, `third`, `fourth`]: how often each head stands in a row, 1 for once.
  std::optional<int64_t> Repetitions(CacheAxis third, CacheAxis fourth) const;

 private:
  /// Axes that a dimension runs through, from the outermost; those of extent 1 have no place.
  struct Run {
    CacheAxis axis;
    int64_t extent;
  };
  using Dimension = std::vector<Run>;

  bool Reshape(const SymbolicShape& shape);
  bool Repeat(const SymbolicShape& from, const SymbolicShape& to);

  std::vector<Dimension> dimensions_;
};

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_PASSES_CACHE_VIEW_H_
