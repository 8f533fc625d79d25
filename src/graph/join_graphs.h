// Putting graphs together that pass values to each other.
#ifndef LITERTLM_GRAPH_JOIN_GRAPHS_H_
#define LITERTLM_GRAPH_JOIN_GRAPHS_H_

#include <vector>

#include "graph/ir.h"

namespace litertlm {

/// Adds what `part` computes to `graph`: `inputs` take the places of its inputs, in their order.
/// Returns the values of its outputs. Throws kBadInput for an input of another dtype or shape.
std::vector<ValueId> AppendGraph(Graph& graph, const Graph& part,
                                 const std::vector<ValueId>& inputs);

/// Puts nodes into an order in which they can be executed, the given one where it is. Throws
/// kBadInput if they wait for each other.
void SortNodes(Graph& graph);

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_JOIN_GRAPHS_H_
