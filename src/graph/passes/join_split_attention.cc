// Attention that reads a cache as it was before, and beside it the new rows:
//
//   scores = CONCATENATION(queries · old keys, queries · new keys) + mask
//   mixed  = first columns of softmax · old values + last columns · new values
//
// where a mask hides the places of the cache that the new rows will fill. Over a cache that was
// updated before, the same is one product in each place. Only sums are added up in another order.
#include <fmt/format.h>

#include <algorithm>

#include "graph/join_graphs.h"
#include "graph/passes/graph_index.h"
#include "graph/passes/passes.h"
#include "graph/types.h"

namespace litertlm {
namespace {

/// Operators that leave columns where they are.
bool KeepsColumns(Op op) {
  constexpr Op kOps[] = {Op::kAdd,     Op::kCast, Op::kDiv,     Op::kMaximum,
                         Op::kMinimum, Op::kMul,  Op::kSoftmax, Op::kTanh};
  return std::find(std::begin(kOps), std::end(kOps), op) != std::end(kOps);
}

class AttentionJoiner {
 public:
  AttentionJoiner(Graph& graph, std::span<const SplitCache> caches, ValueId mask)
      : graph_(graph), caches_(caches), mask_(mask) {}

  void Run() {
    CheckUpdates();
    JoinProducts();
    SortNodes(graph_);
    RemoveDeadNodes(graph_);
    CheckReaders();
    DropColumns();
    InferTypes(graph_);
  }

 private:
  [[noreturn]] void Fail(const std::string& detail) const {
    throw Error(ErrorCode::kUnsupported, fmt::format("{}: {}.", graph_.name, detail));
  }
  const std::string& NameOf(ValueId value) const { return graph_.value(value).name; }

  void CheckUpdates() const {
    const GraphIndex index(graph_);
    for (const SplitCache& cache : caches_) {
      const Node* update = index.Producer(cache.after, Op::kDynamicUpdateSlice);
      if (update != nullptr && update->inputs[0] == cache.before &&
          update->inputs[1] == cache.rows) {
        continue;
      }
      Fail(fmt::format("cache '{}' is not updated by writing its new rows at their positions",
                       NameOf(cache.before)));
    }
  }

  void JoinProducts() {
    RewriteNodes(graph_, [this](const GraphIndex& index, const Node& node, Emit& emit) {
      const Node* old_part = nullptr;
      const Node* new_part = nullptr;
      ValueId factor = kNoValue;
      if (node.op == Op::kConcatenation && node.inputs.size() == 2) {
        old_part = index.Producer(node.inputs[0], Op::kBatchMatMul);
        new_part = index.Producer(node.inputs[1], Op::kBatchMatMul);
        if (old_part == nullptr || new_part == nullptr ||
            old_part->inputs[0] != new_part->inputs[0] ||
            node.As<ConcatenationAttributes>().axis != LastAxis(node.outputs[0])) {
          return false;
        }
        factor = old_part->inputs[0];
      } else if (node.op == Op::kAdd) {
        const auto parts = Commuted(node, [&](ValueId part) { return ReadsOldRows(index, part); });
        if (!parts) return false;
        old_part = index.Producer(parts->first, Op::kBatchMatMul);
        new_part = index.Producer(parts->second, Op::kBatchMatMul);
        if (new_part == nullptr) return false;
        factor = WholeOf(index, old_part->inputs[0], new_part->inputs[0]);
      }
      if (factor == kNoValue || old_part->attributes != new_part->attributes) return false;
      const SplitCache* cache = CacheOf(old_part->inputs[1]);
      if (cache == nullptr || cache->rows != new_part->inputs[1]) return false;
      if (node.op == Op::kConcatenation) scores_.push_back(node.outputs[0]);
      emit.push_back(
          {Op::kBatchMatMul, {factor, cache->after}, node.outputs, old_part->attributes});
      return true;
    });
  }

  int LastAxis(ValueId value) const {
    return static_cast<int>(graph_.value(value).shape.size()) - 1;
  }

  bool ReadsOldRows(const GraphIndex& index, ValueId value) const {
    const Node* product = index.Producer(value, Op::kBatchMatMul);
    return product != nullptr && CacheOf(product->inputs[1]) != nullptr;
  }

  const SplitCache* CacheOf(ValueId before) const {
    const auto it = std::find_if(caches_.begin(), caches_.end(),
                                 [&](const SplitCache& cache) { return cache.before == before; });
    return it == caches_.end() ? nullptr : &*it;
  }

  /// The value of which `first` holds the first columns and `rest` the others; kNoValue if they
  /// are no such parts.
  ValueId WholeOf(const GraphIndex& index, ValueId first, ValueId rest) const {
    const Node* slices[] = {index.Producer(first, Op::kSlice), index.Producer(rest, Op::kSlice)};
    if (slices[0] == nullptr || slices[1] == nullptr ||
        slices[0]->inputs[0] != slices[1]->inputs[0]) {
      return kNoValue;
    }
    const ValueId whole = slices[0]->inputs[0];
    const int last = LastAxis(whole);
    const Shape shape = Concrete(graph_.value(whole).shape, graph_.file_rows);
    int64_t column = 0;
    for (const Node* slice : slices) {
      const auto& [begin, size, stride] = slice->As<SliceAttributes>();
      for (int axis = 0; axis <= last; ++axis) {
        const bool fits = axis == last ? begin[axis] == column : size[axis] == shape[axis];
        if (!fits || stride[axis] != 1) return kNoValue;
      }
      column += size[last];
    }
    return column == shape[last] ? whole : kNoValue;
  }

  void CheckReaders() const {
    for (const Node& node : graph_.nodes) {
      for (const ValueId input : node.inputs) {
        if (CacheOf(input) == nullptr || node.op == Op::kDynamicUpdateSlice) continue;
        Fail(fmt::format("{} reads cache '{}' apart from its new rows in a way that is not known",
                         OpName(node.op), NameOf(input)));
      }
    }
  }

  /// Takes the columns of new rows from mask and scores, and from what is made of them.
  void DropColumns() {
    SymbolicShape& mask = graph_.value(mask_).shape;
    const int64_t wide = mask.back().outer();
    const int64_t context = wide - mask[mask.size() - 2].outer();
    mask.back() = context;
    std::vector<bool> dropped(graph_.values.size(), false);
    dropped[static_cast<size_t>(mask_)] = true;
    for (const ValueId value : scores_) dropped[static_cast<size_t>(value)] = true;
    for (Node& node : graph_.nodes) {
      const bool reads = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
        return input != kNoValue && dropped[static_cast<size_t>(input)];
      });
      if (!reads || node.op == Op::kBatchMatMul) continue;
      if (node.op == Op::kReshape) {
        Shape target = node.As<TargetAttributes>().shape;
        if (target.rank() > 0 && target.back() == wide) {
          target[target.rank() - 1] = context;
          node.attributes = TargetAttributes{target};
        }
      } else if (!KeepsColumns(node.op)) {
        Fail(
            fmt::format("{}, which computes '{}', is made of scores of old and new rows in a way "
                        "that is not known",
                        OpName(node.op), NameOf(node.outputs[0])));
      }
      dropped[static_cast<size_t>(node.outputs[0])] = true;
    }
  }

  Graph& graph_;
  const std::span<const SplitCache> caches_;
  const ValueId mask_;
  std::vector<ValueId> scores_;  ///< That were put together of old and new ones.
};

}  // namespace

void JoinSplitAttention(Graph& graph, std::span<const SplitCache> caches, ValueId mask) {
  AttentionJoiner(graph, caches, mask).Run();
}

}  // namespace litertlm
