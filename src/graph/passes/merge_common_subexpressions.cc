#include <unordered_map>

#include "graph/passes/passes.h"

namespace litertlm {
namespace {

size_t Hash(const Node& node) {
  size_t hash = static_cast<size_t>(node.op);
  for (const ValueId input : node.inputs) hash = hash * 1000003 + static_cast<size_t>(input + 1);
  return hash;
}

bool ComputesTheSame(const Graph& graph, const Node& a, const Node& b) {
  return a.op == b.op && a.inputs == b.inputs && a.attributes == b.attributes &&
         a.outputs.size() == 1 && b.outputs.size() == 1 &&
         graph.value(a.outputs[0]).dtype == graph.value(b.outputs[0]).dtype;
}

}  // namespace

void MergeCommonSubexpressions(Graph& graph) {
  std::vector<ValueId> replacement(graph.values.size());
  for (size_t i = 0; i < replacement.size(); ++i) replacement[i] = static_cast<ValueId>(i);
  std::unordered_multimap<size_t, size_t> seen;  // Hash, and index into `kept`.
  std::vector<Node> kept;
  for (Node& node : graph.nodes) {
    for (ValueId& input : node.inputs) {
      if (input != kNoValue) input = replacement[input];
    }
    const size_t hash = Hash(node);
    const auto [begin, end] = seen.equal_range(hash);
    bool merged = false;
    for (auto it = begin; it != end && !merged; ++it) {
      if (!ComputesTheSame(graph, kept[it->second], node)) continue;
      replacement[node.outputs[0]] = kept[it->second].outputs[0];
      merged = true;
    }
    if (merged) continue;
    seen.emplace(hash, kept.size());
    kept.push_back(std::move(node));
  }
  graph.nodes = std::move(kept);
  for (Binding& output : graph.outputs) output.value = replacement[output.value];
}

}  // namespace litertlm
