// Rotary position embeddings, in the two ways in which exporters write them, together with the
// norm of queries and keys that goes before.
//
// With halves a and b of a head: either concat(a cos - b sin, b cos + a sin), or, with tables that
// repeat themselves, x cos + concat(-b, a) sin.
#include "graph/passes/graph_index.h"
#include "graph/passes/passes.h"

namespace litertlm {
namespace {

class RopeMatcher {
 public:
  RopeMatcher(const GraphIndex& index, Graph& graph) : index_(index), graph_(graph) {}

  bool Match(const Node& node, Emit& emit) {
    output_ = node.outputs[0];
    const bool found = MatchHalves(node) || MatchRotated(node);
    if (!found || !FindRowAxis()) return false;
    Write(emit);
    return true;
  }

 private:
  const SymbolicShape& ShapeOf(ValueId value) const { return graph_.value(value).shape; }

  /// The value of which `value` is the first (`half` = 0) or second half along the last axis.
  std::optional<ValueId> WholeOf(ValueId value, int half) const {
    const Node* slice = index_.Producer(value, Op::kSlice);
    if (slice == nullptr) return std::nullopt;
    const SymbolicShape& whole = ShapeOf(slice->inputs[0]);
    const auto& [begin, size, stride] = slice->As<SliceAttributes>();
    const int last = begin.rank() - 1;
    for (int axis = 0; axis < last; ++axis) {
      if (ShapeOf(value)[axis] != whole[axis] || stride[axis] != 1) return std::nullopt;
    }
    const int64_t width = whole.back().outer();
    const bool fits = last > 0 && !whole.back().is_rows() && stride[last] == 1 &&
                      size[last] * 2 == width && begin[last] == half * size[last];
    return fits ? std::optional(slice->inputs[0]) : std::nullopt;
  }

  struct Product {
    ValueId half;  ///< 0 or 1: the half of x_.
    ValueId table;
  };
  /// `value` as a half of x_ times a table. The first that is found sets x_.
  std::optional<Product> HalfTimesTable(ValueId value) {
    const Node* product = index_.Producer(value, Op::kMul);
    if (product == nullptr) return std::nullopt;
    for (const int half : {0, 1}) {
      const auto factors = Commuted(*product, [&](ValueId factor) {
        const std::optional<ValueId> whole = WholeOf(factor, half);
        if (!whole || (x_ != kNoValue && *whole != x_)) return false;
        x_ = *whole;
        return true;
      });
      if (factors) return Product{half, factors->second};
    }
    return std::nullopt;
  }

  bool MatchHalves(const Node& node) {
    x_ = kNoValue;
    if (node.op != Op::kConcatenation || node.inputs.size() != 2) return false;
    const int last = static_cast<int>(ShapeOf(output_).size()) - 1;
    const Node* low = index_.Producer(node.inputs[0], Op::kSub);
    const Node* high = index_.Producer(node.inputs[1], Op::kAdd);
    if (node.As<ConcatenationAttributes>().axis != last || low == nullptr || high == nullptr) {
      return false;
    }
    const auto a_cos = HalfTimesTable(low->inputs[0]);
    const auto b_sin = HalfTimesTable(low->inputs[1]);
    auto b_cos = HalfTimesTable(high->inputs[0]);
    auto a_sin = HalfTimesTable(high->inputs[1]);
    if (!a_cos || !b_sin || !b_cos || !a_sin) return false;
    if (b_cos->half == 0) std::swap(b_cos, a_sin);
    cos_ = a_cos->table;
    sin_ = b_sin->table;
    return a_cos->half == 0 && b_sin->half == 1 && b_cos->half == 1 && a_sin->half == 0 &&
           b_cos->table == cos_ && a_sin->table == sin_ && ShapeOf(output_) == ShapeOf(x_) &&
           2 * ShapeOf(cos_).back().outer() == ShapeOf(x_).back().outer();
  }

  /// True if `value` is concat(-b, a) of the halves of x_.
  bool IsRotated(ValueId value) const {
    const Node* both = index_.Producer(value, Op::kConcatenation);
    if (both == nullptr || both->inputs.size() != 2) return false;
    const Node* negated = index_.Producer(both->inputs[0], Op::kNeg);
    return negated != nullptr && WholeOf(negated->inputs[0], 1) == x_ &&
           WholeOf(both->inputs[1], 0) == x_;
  }

  bool MatchRotated(const Node& node) {
    if (node.op != Op::kAdd) return false;
    for (const int first : {0, 1}) {
      const Node* direct = index_.Producer(node.inputs[first], Op::kMul);
      const Node* turned = index_.Producer(node.inputs[1 - first], Op::kMul);
      if (direct == nullptr || turned == nullptr) return false;
      for (const int x : {0, 1}) {
        x_ = direct->inputs[x];
        cos_ = direct->inputs[1 - x];
        if (ShapeOf(x_) != ShapeOf(output_)) continue;
        const auto factors = Commuted(*turned, [&](ValueId value) { return IsRotated(value); });
        if (!factors) continue;
        sin_ = factors->second;
        return ShapeOf(cos_).back() == ShapeOf(x_).back() && Repeats(cos_) && Repeats(sin_);
      }
    }
    return false;
  }

  /// True if the second half of the last axis repeats the first.
  bool Repeats(ValueId value) const {
    const Node* node = index_.Producer(value);
    if (node == nullptr) return false;
    switch (node->op) {
      case Op::kConcatenation:
        return node->inputs.size() == 2 && node->inputs[0] == node->inputs[1] &&
               node->As<ConcatenationAttributes>().axis ==
                   static_cast<int>(ShapeOf(value).size()) - 1;
      case Op::kCos:
      case Op::kSin:
      case Op::kCast:
        return Repeats(node->inputs[0]);
      case Op::kReshape:
        return ShapeOf(node->inputs[0]).back() == ShapeOf(value).back() && Repeats(node->inputs[0]);
      case Op::kMul:  // An attention factor.
        return (index_.Scalar(node->inputs[1]) && Repeats(node->inputs[0])) ||
               (index_.Scalar(node->inputs[0]) && Repeats(node->inputs[1]));
      default:
        return false;
    }
  }

  bool FindRowAxis() {
    const SymbolicShape& x = ShapeOf(x_);
    const SymbolicShape& table = ShapeOf(cos_);
    if (table != ShapeOf(sin_) || table.size() > x.size() || x.size() != 4) return false;
    const size_t offset = x.size() - table.size();
    row_axis_ = -1;
    for (size_t axis = 0; axis + 1 < table.size(); ++axis) {
      if (table[axis].Is(1)) continue;
      if (row_axis_ >= 0 || table[axis] != x[offset + axis]) return false;
      row_axis_ = static_cast<int>(offset + axis);
    }
    for (size_t axis = 0; row_axis_ < 0 && axis + 1 < x.size(); ++axis) {
      if (x[axis].Is(1)) row_axis_ = static_cast<int>(axis);  // One row for everything.
    }
    return row_axis_ >= 0;
  }

  // Each head turns by itself, so a transposition of rows and heads may as well come afterwards,
  // where attention takes it in.
  void Write(Emit& emit) {
    const Shape permutation = PermutationOf(index_.Producer(x_));
    const bool moved = permutation.rank() == 4 && permutation[3] == 3;
    ValueId x = moved ? index_.Producer(x_)->inputs[0] : x_;
    RopeAttributes attributes{moved ? static_cast<int>(permutation[row_axis_]) : row_axis_, 0};
    Node rope{Op::kRope, {x, cos_, sin_}, {output_}, attributes};
    TakeInNorm(rope, emit);
    if (!moved) {
      emit.push_back(std::move(rope));
      return;
    }
    rope.outputs = {AddValueLike(graph_, output_, "_rows", ShapeOf(x))};
    const ValueId turned = rope.outputs[0];
    emit.push_back(std::move(rope));
    emit.push_back({Op::kTranspose, {turned}, {output_}, PermutationAttributes{permutation}});
  }

  void TakeInNorm(Node& rope, Emit& emit) {
    const ValueId x = rope.inputs[0];
    const Node* norm = index_.Producer(index_.BeforeReshapes(x), Op::kRmsNorm);
    if (norm == nullptr || ShapeOf(norm->outputs[0]).back() != ShapeOf(x).back()) return;
    rope.inputs.push_back(norm->inputs[1]);
    std::get<RopeAttributes>(rope.attributes).epsilon = norm->As<RmsNormAttributes>().epsilon;
    rope.inputs[0] = norm->inputs[0];
    if (ShapeOf(norm->inputs[0]) == ShapeOf(x)) return;
    rope.inputs[0] = AddValueLike(graph_, norm->inputs[0], "_heads", ShapeOf(x));
    emit.push_back({Op::kReshape,
                    {norm->inputs[0]},
                    {rope.inputs[0]},
                    TargetAttributes{Concrete(ShapeOf(x), graph_.file_rows)}});
  }

  const GraphIndex& index_;
  Graph& graph_;
  ValueId output_ = kNoValue;
  ValueId x_ = kNoValue;
  ValueId cos_ = kNoValue;
  ValueId sin_ = kNoValue;
  int row_axis_ = -1;
};

}  // namespace

void FuseRopes(Graph& graph) {
  RewriteNodes(graph, [&graph](const GraphIndex& index, const Node& node, Emit& emit) {
    return RopeMatcher(index, graph).Match(node, emit);
  });
  SimplifyLayout(graph);
}

}  // namespace litertlm
