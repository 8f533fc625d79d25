#include <algorithm>

#include "graph/passes/graph_index.h"
#include "graph/passes/passes.h"

namespace litertlm {

// A product depends on its input and on constants only, so all that share an input can stand where
// the first of them stands.
void GatherProducts(Graph& graph) {
  const GraphIndex index(graph);
  std::vector<Node> nodes;
  std::vector<bool> placed(graph.values.size(), false);
  const auto movable = [&](const Node& node) {
    return node.op == Op::kFullyConnected && graph.value(node.inputs[1]).is_constant &&
           std::all_of(node.inputs.begin() + 2, node.inputs.end(), [&](ValueId bias) {
             return bias == kNoValue || graph.value(bias).is_constant;
           });
  };
  for (const Node& node : graph.nodes) {
    if (placed[node.outputs[0]]) continue;
    nodes.push_back(node);
    if (!movable(node)) continue;
    for (const Node* sibling : index.Readers(node.inputs[0])) {
      if (sibling == &node || placed[sibling->outputs[0]] || !movable(*sibling)) continue;
      if (sibling->inputs[0] != node.inputs[0]) continue;
      placed[sibling->outputs[0]] = true;
      nodes.push_back(*sibling);
    }
    placed[node.outputs[0]] = true;
  }
  graph.nodes = std::move(nodes);
}

}  // namespace litertlm
