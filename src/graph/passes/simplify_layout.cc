// Reshapes and transpositions that cancel each other or move nothing.
#include <numeric>

#include "graph/passes/graph_index.h"
#include "graph/passes/passes.h"

namespace litertlm {
namespace {

/// True if the elements stay in their order: only axes of extent 1 change their places.
bool MovesNothing(const SymbolicShape& shape, const Shape& permutation) {
  int64_t last = -1;
  for (const int64_t axis : permutation) {
    if (shape[static_cast<size_t>(axis)].Is(1)) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

class LayoutSimplifier {
 public:
  explicit LayoutSimplifier(Graph& graph)
      : graph_(graph), producers_(graph.values.size()), same_(graph.values.size()) {
    std::iota(same_.begin(), same_.end(), ValueId{0});
  }

  void Run() {
    for (Node& node : graph_.nodes) {
      for (ValueId& input : node.inputs) {
        if (input != kNoValue) input = same_[input];
      }
      Simplify(node);
      for (const ValueId output : node.outputs) producers_[output] = &node;
    }
    ReplaceUses(graph_, same_);
  }

 private:
  const SymbolicShape& ShapeOf(ValueId value) const { return graph_.value(value).shape; }
  const Node* Before(const Node& node) const { return producers_[node.inputs[0]]; }

  void Simplify(Node& node) {
    if (node.op == Op::kTranspose) {
      JoinTransposes(node);
      const Shape& permutation = node.As<PermutationAttributes>().permutation;
      if (MovesNothing(ShapeOf(node.inputs[0]), permutation)) {
        node.op = Op::kReshape;
        node.attributes = TargetAttributes{Concrete(ShapeOf(node.outputs[0]), graph_.file_rows)};
      }
    }
    if (node.op != Op::kReshape) return;
    if (const Node* before = Before(node); before != nullptr && before->op == Op::kReshape) {
      node.inputs[0] = before->inputs[0];
    }
    if (ShapeOf(node.inputs[0]) == ShapeOf(node.outputs[0])) {
      same_[node.outputs[0]] = node.inputs[0];
    }
  }

  void JoinTransposes(Node& node) {
    const Node* before = Before(node);
    const Shape first = PermutationOf(before);
    if (first.rank() == 0) return;
    Shape joined;
    for (const int64_t axis : node.As<PermutationAttributes>().permutation) {
      joined.push_back(first[static_cast<int>(axis)]);
    }
    node.inputs[0] = before->inputs[0];
    node.attributes = PermutationAttributes{joined};
  }

  Graph& graph_;
  std::vector<const Node*> producers_;
  std::vector<ValueId> same_;  ///< By value: one that holds the same, with the same shape.
};

}  // namespace

void SimplifyLayout(Graph& graph) {
  LayoutSimplifier(graph).Run();
  RemoveDeadNodes(graph);
}

}  // namespace litertlm
