// RMS norms that are written out: x * rsqrt(mean(x²) + epsilon) * gains.
#include "graph/passes/graph_index.h"
#include "graph/passes/passes.h"

namespace litertlm {
namespace {

class NormMatcher {
 public:
  explicit NormMatcher(const GraphIndex& index) : index_(index), graph_(index.graph()) {}

  std::optional<Node> Match(const Node& node) const {
    if (node.op != Op::kMul) return std::nullopt;
    const SymbolicShape& shape = graph_.value(node.outputs[0]).shape;
    if (shape.empty()) return std::nullopt;
    const auto operands = Commuted(node, [&](ValueId gains) {
      const Value& value = graph_.value(gains);
      return value.is_constant && value.dtype == DType::kF32 && !value.shape.empty() &&
             Count(value.shape) == shape.back() && value.shape.back() == shape.back();
    });
    if (!operands) return std::nullopt;
    const Node* scaled = index_.Producer(operands->second, Op::kMul);
    if (scaled == nullptr || graph_.value(operands->second).shape != shape) return std::nullopt;
    std::optional<float> epsilon;
    const auto factors = Commuted(*scaled, [&](ValueId factor) {
      const ValueId x = scaled->inputs[scaled->inputs[0] == factor ? 1 : 0];
      epsilon = EpsilonOf(factor, x);
      return epsilon.has_value();
    });
    if (!factors || graph_.value(factors->second).shape != shape) return std::nullopt;
    return Node{Op::kRmsNorm,
                {factors->second, operands->first},
                node.outputs,
                RmsNormAttributes{*epsilon}};
  }

 private:
  /// If `factor` is rsqrt(mean(x²) + epsilon): epsilon.
  std::optional<float> EpsilonOf(ValueId factor, ValueId x) const {
    const Node* root = index_.Producer(index_.BeforeReshapes(factor), Op::kRsqrt);
    if (root == nullptr) return std::nullopt;
    const Node* sum = index_.Producer(index_.BeforeReshapes(root->inputs[0]), Op::kAdd);
    if (sum == nullptr) return std::nullopt;
    const auto terms =
        Commuted(*sum, [&](ValueId epsilon) { return index_.Scalar(epsilon).has_value(); });
    if (!terms || !IsMeanOfSquares(index_.BeforeReshapes(terms->second), x)) return std::nullopt;
    return index_.Scalar(terms->first);
  }

  bool IsMeanOfSquares(ValueId value, ValueId x) const {
    const int64_t size = graph_.value(x).shape.back().outer();
    const Node* node = index_.Producer(value);
    if (node != nullptr && node->op == Op::kMul) {  // A sum times 1 / size.
      const auto factors = Commuted(*node, [&](ValueId factor) {
        return index_.Scalar(factor) == 1.0f / static_cast<float>(size);
      });
      if (!factors) return false;
      node = index_.Producer(index_.BeforeReshapes(factors->second), Op::kSum);
    } else if (node != nullptr && node->op == Op::kDiv) {
      if (index_.Scalar(node->inputs[1]) != static_cast<float>(size)) return false;
      node = index_.Producer(index_.BeforeReshapes(node->inputs[0]), Op::kSum);
    } else if (node != nullptr && node->op != Op::kMean) {
      return false;
    }
    if (node == nullptr) return false;
    const int last = static_cast<int>(graph_.value(x).shape.size()) - 1;
    if (node->As<AxesAttributes>().axes != std::vector<int>{last}) return false;
    const Node* squares = index_.Producer(node->inputs[0], Op::kMul);
    return squares != nullptr && squares->inputs[0] == x && squares->inputs[1] == x;
  }

  const GraphIndex& index_;
  const Graph& graph_;
};

}  // namespace

void FuseRmsNorms(Graph& graph) {
  RewriteNodes(graph, [](const GraphIndex& index, const Node& node, Emit& emit) {
    std::optional<Node> norm = NormMatcher(index).Match(node);
    if (norm) emit.push_back(std::move(*norm));
    return norm.has_value();
  });
  RemoveDeadNodes(graph);
}

}  // namespace litertlm
