#include <algorithm>

#include "graph/passes/graph_index.h"
#include "graph/passes/passes.h"

namespace litertlm {

void MarkOutputHead(Graph& graph, ValueId logits) {
  const GraphIndex index(graph);
  const auto outputs_of = [&](ValueId value) {
    return std::count_if(graph.outputs.begin(), graph.outputs.end(),
                         [value](const Binding& output) { return output.value == value; });
  };
  ValueId value = logits;
  if (!index.Readers(value).empty() || outputs_of(value) != 1) return;
  while (const Node* reshape = index.Producer(value, Op::kReshape)) {
    value = reshape->inputs[0];
    if (index.Readers(value).size() != 1 || outputs_of(value) != 0) return;
  }
  for (Node& node : graph.nodes) {
    if (node.op == Op::kFullyConnected && node.outputs[0] == value) {
      std::get<FullyConnectedAttributes>(node.attributes).output_head = true;
    }
  }
}

}  // namespace litertlm
