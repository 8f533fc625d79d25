// Transformations of a graph. Each leaves what the graph computes unchanged within rounding, and
// each may be left out.
#ifndef LITERTLM_GRAPH_PASSES_PASSES_H_
#define LITERTLM_GRAPH_PASSES_PASSES_H_

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "graph/ir.h"

namespace litertlm {

/// A score that is so much lower than another has no weight in a softmax: a mask that adds this, or
/// less, hides.
inline constexpr float kHiddenScore = -1000;

/// Computes the output of a node all of whose inputs are constants: its elements, contiguous.
using NodeEvaluator = std::function<std::vector<std::byte>(const Graph& graph, const Node& node)>;

/// Lets matrices and tables read coded weights themselves, so that nobody widens them as a whole:
/// a DEQUANTIZE of a constant goes into the FULLY_CONNECTED or EMBEDDING_LOOKUP that uses it.
void FoldDequantize(Graph& graph);

/// Computes small values that depend on constants only, such as masks and indices.
void FoldConstants(Graph& graph, const NodeEvaluator& evaluate);

/// Computes once what several nodes compute from the same values.
void MergeCommonSubexpressions(Graph& graph);

/// Removes nodes whose results nobody uses.
void RemoveDeadNodes(Graph& graph);

/// A cache that attention reads as it was, and the new rows beside it.
struct SplitCache {
  ValueId before;
  ValueId rows;   ///< Written into it after the last read.
  ValueId after;  ///< The cache with the new rows.
};
/// Attention over old and new rows apart becomes attention over the updated caches. The input
/// `mask` [1, 1, rows, context + rows] loses its last `rows` columns; it must hide what the caches
/// hold from the position of the first row on. Throws kUnsupported where a cache is read or updated
/// in another way.
void JoinSplitAttention(Graph& graph, std::span<const SplitCache> caches, ValueId mask);

/// The graph for any number of rows. `graph` was written for `file_rows` rows, at least 2; in its
/// inputs `row_axes` they are what grows. Throws kUnsupported naming the first node that does not
/// work for any other number of rows.
struct RowAxis {
  ValueId input;
  int axis;
};
Graph WithSymbolicRows(Graph graph, std::span<const RowAxis> row_axes, int64_t file_rows);

// Fusions: what several operators compute, by one that passes over its data once. Each recognises
// the forms of several exporters and leaves alone what it does not recognise.

/// Removes reshapes and transpositions that cancel each other; those that move only axes of
/// extent 1 become reshapes.
void SimplifyLayout(Graph& graph);

/// Products whose results are cut into parts become products with parts of the matrix.
void SplitProducts(Graph& graph);

/// Puts products with the same input next to each other: they are computed together, and their
/// input is quantized once.
void GatherProducts(Graph& graph);

/// Marks the product that makes `logits`, an output, if nothing else comes of it.
void MarkOutputHead(Graph& graph, ValueId logits);

/// RMS norms that are written out become kRmsNorm.
void FuseRmsNorms(Graph& graph);

/// silu(gate) * up becomes kSiluMul, gelu(gate) * up kGeluTanhMul.
void FuseGatedProducts(Graph& graph);

/// Rotary embeddings, with the norm before them, become kRope.
void FuseRopes(Graph& graph);

/// Tells what values that follow from positions and mask alone come to, by running them.
class PositionProbe {
 public:
  virtual ~PositionProbe() = default;
  /// If adding `mask` to scores, or picking scores where a `mask` of bools is true, hides all
  /// positions but the last `n` up to a row's own: `n`, or 0 if it hides only later ones. Else
  /// nothing. The rows may stand in the mask several times, one copy behind the other.
  virtual std::optional<int64_t> WindowOf(ValueId mask) = 0;
  /// True if the i32 vector `start` holds the position of the first row at `axis`, else zeros.
  virtual bool IsPositionAlong(ValueId start, int axis) = 0;
};

struct CacheOptions {
  ValueId positions;  ///< The i32 input that holds the rows' positions.
  DType dtype;        ///< kF32, kF16 or kI8: how the caches are kept.
  PositionProbe& probe;
};

/// Attention over caches becomes kAttention and kCacheUpdate, and the caches become
/// [heads, positions, CacheRowLength()] of the wanted type. False, and nothing is changed, if some
/// use of a cache was not recognised.
bool FuseAttention(Graph& graph, const CacheOptions& options);

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_PASSES_PASSES_H_
