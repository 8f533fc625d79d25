// The gates of feed-forward layers: silu(gate) * up and gelu(gate) * up.
#include "graph/passes/graph_index.h"
#include "graph/passes/passes.h"

namespace litertlm {
namespace {

/// The gate, if `value` is its SiLU: gate * logistic(gate).
std::optional<ValueId> SiluOf(const GraphIndex& index, ValueId value) {
  const Node* product = index.Producer(value, Op::kMul);
  if (product == nullptr) return std::nullopt;
  const auto factors = Commuted(*product, [&](ValueId factor) {
    const Node* logistic = index.Producer(factor, Op::kLogistic);
    const ValueId other = product->inputs[product->inputs[0] == factor ? 1 : 0];
    return logistic != nullptr && logistic->inputs[0] == other;
  });
  if (!factors) return std::nullopt;
  return factors->second;
}

std::optional<ValueId> GeluTanhOf(const GraphIndex& index, ValueId value) {
  const Node* gelu = index.Producer(value, Op::kGelu);
  if (gelu == nullptr || !gelu->As<GeluAttributes>().tanh) return std::nullopt;
  return gelu->inputs[0];
}

std::optional<Node> Match(const GraphIndex& index, const Node& node) {
  if (node.op != Op::kMul) return std::nullopt;
  const Graph& graph = index.graph();
  for (const auto& [op, gate_of] :
       {std::pair(Op::kSiluMul, &SiluOf), std::pair(Op::kGeluTanhMul, &GeluTanhOf)}) {
    const auto factors = Commuted(node, [&, gate_of = gate_of](ValueId factor) {
      return gate_of(index, factor).has_value();
    });
    if (!factors) continue;
    const ValueId gate = *gate_of(index, factors->first);
    const ValueId up = factors->second;
    if (graph.value(gate).dtype != DType::kF32 ||
        graph.value(gate).shape != graph.value(up).shape) {
      continue;
    }
    return Node{op, {gate, up}, node.outputs, {}};
  }
  return std::nullopt;
}

}  // namespace

void FuseGatedProducts(Graph& graph) {
  RewriteNodes(graph, [](const GraphIndex& index, const Node& node, Emit& emit) {
    std::optional<Node> product = Match(index, node);
    if (product) emit.push_back(std::move(*product));
    return product.has_value();
  });
  RemoveDeadNodes(graph);
}

}  // namespace litertlm
