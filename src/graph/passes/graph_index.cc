#include "graph/passes/graph_index.h"

#include <cstring>

namespace litertlm {

GraphIndex::GraphIndex(const Graph& graph)
    : graph_(graph), producers_(graph.values.size()), readers_(graph.values.size()) {
  for (const Node& node : graph.nodes) {
    for (const ValueId output : node.outputs) producers_[output] = &node;
    for (const ValueId input : node.inputs) {
      if (input != kNoValue) readers_[input].push_back(&node);
    }
  }
}

const Node* GraphIndex::Producer(ValueId value) const {
  const bool known = value != kNoValue && static_cast<size_t>(value) < producers_.size();
  return known ? producers_[value] : nullptr;
}

const Node* GraphIndex::Producer(ValueId value, Op op) const {
  const Node* node = Producer(value);
  return node != nullptr && node->op == op ? node : nullptr;
}

const std::vector<const Node*>& GraphIndex::Readers(ValueId value) const { return readers_[value]; }

ValueId GraphIndex::BeforeReshapes(ValueId value) const {
  while (const Node* reshape = Producer(value, Op::kReshape)) value = reshape->inputs[0];
  return value;
}

std::optional<float> GraphIndex::Scalar(ValueId id) const {
  const Value& value = graph_.value(id);
  if (!value.is_constant || value.dtype != DType::kF32 || !Count(value.shape).Is(1)) {
    return std::nullopt;
  }
  float number;
  std::memcpy(&number, value.data.data(), sizeof(number));
  return number;
}

void ReplaceUses(Graph& graph, const std::vector<ValueId>& replacement) {
  const auto replace = [&](ValueId& value) {
    if (value != kNoValue && static_cast<size_t>(value) < replacement.size()) {
      value = replacement[value];
    }
  };
  for (Node& node : graph.nodes) {
    for (ValueId& input : node.inputs) replace(input);
  }
  for (Binding& output : graph.outputs) replace(output.value);
}

ValueId AddValueLike(Graph& graph, ValueId like, const char* suffix, SymbolicShape shape) {
  Value value;
  value.name = graph.value(like).name + suffix;
  value.dtype = graph.value(like).dtype;
  value.shape = std::move(shape);
  return graph.AddValue(std::move(value));
}

Shape PermutationOf(const Node* node) {
  return node != nullptr && node->op == Op::kTranspose
             ? node->As<PermutationAttributes>().permutation
             : Shape{};
}

}  // namespace litertlm
