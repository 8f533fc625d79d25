#include <algorithm>

#include "graph/passes/passes.h"

namespace litertlm {

void RemoveDeadNodes(Graph& graph) {
  std::vector<bool> used(graph.values.size(), false);
  for (const Binding& output : graph.outputs) used[output.value] = true;
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool needed = std::any_of(node->outputs.begin(), node->outputs.end(),
                                    [&](ValueId output) { return used[output]; });
    if (!needed) continue;
    for (const ValueId input : node->inputs) {
      if (input != kNoValue) used[input] = true;
    }
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
}

}  // namespace litertlm
