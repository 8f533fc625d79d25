#include "graph/join_graphs.h"

#include <gtest/gtest.h>

#include "litertlm/error.h"

namespace litertlm {
namespace {

/// Values of f32 [4].
Graph WithValues(size_t count) {
  Value value;
  value.shape = {4};
  Graph graph;
  graph.values.assign(count, value);
  return graph;
}

TEST(SortNodes, PutsProducersFirstAndKeepsTheRest) {
  Graph graph = WithValues(5);
  graph.nodes = {{Op::kNeg, {1}, {2}, {}},
                 {Op::kAbs, {0}, {3}, {}},
                 {Op::kExp, {0}, {1}, {}},
                 {Op::kAdd, {2, 3}, {4}, {}}};
  SortNodes(graph);
  std::vector<Op> order;
  for (const Node& node : graph.nodes) order.push_back(node.op);
  EXPECT_EQ(order, (std::vector<Op>{Op::kAbs, Op::kExp, Op::kNeg, Op::kAdd}));
}

TEST(SortNodes, RefusesACircle) {
  Graph graph = WithValues(3);
  graph.nodes = {{Op::kNeg, {1}, {2}, {}}, {Op::kAbs, {2}, {1}, {}}};
  EXPECT_THROW(SortNodes(graph), Error);
}

TEST(AppendGraph, BindsInputsOfTheSameType) {
  Graph part = WithValues(2);
  part.inputs = {{"x", 0}};
  part.outputs = {{"y", 1}};
  part.nodes = {{Op::kNeg, {0}, {1}, {}}};
  Graph graph = WithValues(3);
  EXPECT_EQ(AppendGraph(graph, part, {2}), std::vector<ValueId>{3});
  EXPECT_EQ(graph.nodes.front().inputs, std::vector<ValueId>{2});
  graph.value(2).shape = {5};
  EXPECT_THROW(AppendGraph(graph, part, {2}), Error);
  graph.value(2).shape = {4};
  graph.value(2).dtype = DType::kI32;
  EXPECT_THROW(AppendGraph(graph, part, {2}), Error);
}

}  // namespace
}  // namespace litertlm
