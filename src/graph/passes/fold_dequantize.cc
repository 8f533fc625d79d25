#include "graph/passes/passes.h"

namespace litertlm {

void FoldDequantize(Graph& graph) {
  // For a value that is a widened constant, the constant.
  std::vector<ValueId> coded(graph.values.size(), kNoValue);
  for (Node& node : graph.nodes) {
    if (node.op == Op::kDequantize && graph.value(node.inputs[0]).is_constant) {
      coded[node.outputs[0]] = node.inputs[0];
      continue;
    }
    const bool reads_weights = node.op == Op::kFullyConnected || node.op == Op::kEmbeddingLookup;
    if (!reads_weights || coded[node.inputs[1]] == kNoValue) continue;
    node.inputs[1] = coded[node.inputs[1]];
    if (node.op == Op::kFullyConnected) {
      std::get<FullyConnectedAttributes>(node.attributes).dynamic = false;
    }
  }
}

}  // namespace litertlm
