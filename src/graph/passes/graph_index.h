// Looking around in a graph: what the passes that recognise patterns share.
#ifndef LITERTLM_GRAPH_PASSES_GRAPH_INDEX_H_
#define LITERTLM_GRAPH_PASSES_GRAPH_INDEX_H_

#include <optional>
#include <vector>

#include "graph/ir.h"

namespace litertlm {

/// Producers and readers of the values of a graph. Nodes may be looked at, not moved, while an
/// index is in use; values may be added.
class GraphIndex {
 public:
  explicit GraphIndex(const Graph& graph);

  const Graph& graph() const { return graph_; }
  /// The node that computes a value; null for inputs, constants and values made after the index.
  const Node* Producer(ValueId value) const;
  /// The same, but null unless it is an `op`.
  const Node* Producer(ValueId value, Op op) const;
  /// The nodes that read a value.
  const std::vector<const Node*>& Readers(ValueId value) const;

  /// `value` without the reshapes that it came through: the same elements in the same order.
  ValueId BeforeReshapes(ValueId value) const;
  /// The number, if `value` is a constant f32 with one element.
  std::optional<float> Scalar(ValueId value) const;

 private:
  const Graph& graph_;
  std::vector<const Node*> producers_;
  std::vector<std::vector<const Node*>> readers_;
};

/// The two inputs of a node in the order in which `first` accepts one of them; nothing if it
/// accepts neither. For operators that commute.
template <typename Predicate>
std::optional<std::pair<ValueId, ValueId>> Commuted(const Node& node, Predicate&& first) {
  const ValueId a = node.inputs[0];
  const ValueId b = node.inputs[1];
  if (first(a)) return std::pair(a, b);
  if (first(b)) return std::pair(b, a);
  return std::nullopt;
}

/// Replaces values in everything that reads them: `replacement` holds one for each value, itself
/// where nothing changes.
void ReplaceUses(Graph& graph, const std::vector<ValueId>& replacement);

/// A value of the same dtype as `like`, with another name and shape.
ValueId AddValueLike(Graph& graph, ValueId like, const char* suffix, SymbolicShape shape);

/// The permutation of a transposition; empty if the node is none.
Shape PermutationOf(const Node* node);

/// What transforms a graph node by node. `emit` puts nodes in front of the one under inspection.
using Emit = std::vector<Node>;
template <typename Rewrite>
void RewriteNodes(Graph& graph, Rewrite&& rewrite) {
  const GraphIndex index(graph);
  std::vector<Node> nodes;
  nodes.reserve(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    if (!rewrite(index, node, nodes)) nodes.push_back(node);
  }
  graph.nodes = std::move(nodes);
}

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_PASSES_GRAPH_INDEX_H_
