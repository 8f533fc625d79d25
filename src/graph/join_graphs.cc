#include "graph/join_graphs.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "litertlm/error.h"

namespace litertlm {

std::vector<ValueId> AppendGraph(Graph& graph, const Graph& part,
                                 const std::vector<ValueId>& inputs) {
  std::vector<ValueId> moved(part.values.size(), kNoValue);
  for (size_t i = 0; i < part.inputs.size(); ++i) {
    const Value& wanted = part.value(part.inputs[i].value);
    const Value& given = graph.value(inputs[i]);
    if (wanted.dtype != given.dtype || wanted.shape != given.shape) {
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{}: input '{}' is {} {}, but {} gives it {} {}.", part.name,
                              part.inputs[i].name, Info(wanted.dtype).name, ToString(wanted.shape),
                              graph.name, Info(given.dtype).name, ToString(given.shape)));
    }
    moved[static_cast<size_t>(part.inputs[i].value)] = inputs[i];
  }
  for (size_t id = 0; id < moved.size(); ++id) {
    if (moved[id] == kNoValue) moved[id] = graph.AddValue(part.values[id]);
  }
  const auto move = [&](std::vector<ValueId>& values) {
    for (ValueId& value : values) {
      if (value != kNoValue) value = moved[static_cast<size_t>(value)];
    }
  };
  for (Node node : part.nodes) {
    move(node.inputs);
    move(node.outputs);
    graph.nodes.push_back(std::move(node));
  }
  std::vector<ValueId> outputs;
  for (const Binding& output : part.outputs) outputs.push_back(output.value);
  move(outputs);
  return outputs;
}

void SortNodes(Graph& graph) {
  constexpr size_t kNobody = ~size_t{0};
  std::vector<size_t> producer(graph.values.size(), kNobody);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const ValueId output : graph.nodes[i].outputs) {
      producer[static_cast<size_t>(output)] = i;
    }
  }
  std::vector<size_t> waits_for(graph.nodes.size(), 0);
  std::vector<std::vector<size_t>> readers(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const ValueId input : graph.nodes[i].inputs) {
      const size_t before = input == kNoValue ? kNobody : producer[static_cast<size_t>(input)];
      if (before == kNobody) continue;
      ++waits_for[i];
      readers[before].push_back(i);
    }
  }
  std::set<size_t> ready;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (waits_for[i] == 0) ready.insert(i);
  }
  std::vector<Node> sorted;
  while (!ready.empty()) {
    const size_t next = *ready.begin();
    ready.erase(ready.begin());
    sorted.push_back(std::move(graph.nodes[next]));
    for (const size_t reader : readers[next]) {
      if (--waits_for[reader] == 0) ready.insert(reader);
    }
  }
  if (sorted.size() != graph.nodes.size()) {
    throw Error(ErrorCode::kBadInput, graph.name + ": operators wait for each other's results.");
  }
  graph.nodes = std::move(sorted);
}

}  // namespace litertlm
