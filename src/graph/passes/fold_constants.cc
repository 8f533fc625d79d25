#include <algorithm>

#include "graph/passes/passes.h"

namespace litertlm {
namespace {

// Larger values stay computed: memory for them is shared in turn, that of constants is not.
constexpr uint64_t kMaxValueBytes = uint64_t{4} << 20;
constexpr uint64_t kMaxTotalBytes = uint64_t{64} << 20;

bool DependsOnConstantsOnly(const Graph& graph, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
    return input == kNoValue || graph.value(input).is_constant;
  });
}

}  // namespace

void FoldConstants(Graph& graph, const NodeEvaluator& evaluate) {
  uint64_t total = 0;
  std::erase_if(graph.nodes, [&](const Node& node) {
    if (node.outputs.size() != 1 || !DependsOnConstantsOnly(graph, node)) return false;
    Value& output = graph.value(node.outputs.front());
    const int64_t count = Concrete(output.shape, graph.file_rows).count();
    const uint64_t bytes = BytesFor(output.dtype, static_cast<uint64_t>(count));
    if (bytes > kMaxValueBytes || total + bytes > kMaxTotalBytes) return false;
    total += bytes;
    output.storage = std::make_shared<const std::vector<std::byte>>(evaluate(graph, node));
    output.data = *output.storage;
    output.is_constant = true;
    return true;
  });
}

}  // namespace litertlm
