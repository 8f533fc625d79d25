// Transformations of a graph. Each leaves what the graph computes unchanged within rounding, and
// each may be left out.
#ifndef LITERTLM_GRAPH_PASSES_PASSES_H_
#define LITERTLM_GRAPH_PASSES_PASSES_H_

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "graph/ir.h"

namespace litertlm {

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

/// The graph for any number of rows. `graph` was written for `file_rows` rows, at least 2; in its
/// inputs `row_axes` they are what grows. Throws kUnsupported naming the first node that does not
/// work for any other number of rows.
struct RowAxis {
  ValueId input;
  int axis;
};
Graph WithSymbolicRows(Graph graph, std::span<const RowAxis> row_axes, int64_t file_rows);

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_PASSES_PASSES_H_
