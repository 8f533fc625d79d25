// Attention over a cache that is updated in place, as exporters write it:
//
//   keys   = DYNAMIC_UPDATE_SLICE(key cache, new keys, position)       values likewise
//   scores = BATCH_MATMUL(queries * scale, keys) + mask                mixed = softmax · values
//
// or with SELECT(mask, scores, a number far below), and with reshapes that stack the query heads of
// a group, or with keys and values repeated for each of its heads. Rotations of queries and new
// keys, if they were recognised before, are taken in. What the mask hides is found by
// running it (`PositionProbe`), whatever operators it is made of. All caches of a graph are taken
// over or none, because their layout changes: to [heads, positions, CacheRowLength()], in the type
// that was asked for.
#include <algorithm>
#include <array>
#include <set>

#include "base/cache_row.h"
#include "graph/passes/cache_view.h"
#include "graph/passes/graph_index.h"
#include "graph/passes/passes.h"

namespace litertlm {
namespace {

struct Cache {
  ValueId before;
  ValueId after;
  const Node* update;
  int heads_axis;  ///< Of the cache in the file, which is rank 4 with a batch of 1.
  int position_axis;
  int size_axis;
};

struct ShownCache {
  const Cache* cache = nullptr;
  int64_t repetitions = 1;  ///< Of each head.
};

struct Attention {
  const Node* root = nullptr;    ///< The product with the values.
  const Node* scores = nullptr;  ///< The product of queries and keys.
  ValueId query = kNoValue;      ///< Elements in the order [heads, rows, size].
  Dim rows = 1;
  int64_t heads = 0;
  float scale = 1;
  int64_t window = 0;
  ShownCache keys;
  ShownCache values;
};

class AttentionFuser {
 public:
  AttentionFuser(Graph& graph, const CacheOptions& options)
      : graph_(graph), index_(graph), options_(options) {}

  bool Run() {
    if (!FindCaches()) return false;
    for (const Node& node : graph_.nodes) {
      if (node.op != Op::kBatchMatMul) continue;
      if (auto attention = Match(node)) attentions_.push_back(*attention);
    }
    if (!EveryReaderIsKnown()) return false;
    Rewrite();
    return true;
  }

 private:
  const SymbolicShape& ShapeOf(ValueId value) const { return graph_.value(value).shape; }

  bool FindCaches() {
    for (const Binding& input : graph_.inputs) {
      const ValueId output = graph_.FindOutput(input.name);
      if (output == kNoValue) continue;
      const std::optional<Cache> cache = CacheOf(input.value, output);
      if (!cache) return false;
      caches_.push_back(*cache);
    }
    return !caches_.empty();
  }

  std::optional<Cache> CacheOf(ValueId before, ValueId after) const {
    const SymbolicShape& shape = ShapeOf(before);
    const auto& readers = index_.Readers(before);
    const bool plain = shape.size() == 4 && shape[0].Is(1) && readers.size() == 1 &&
                       std::none_of(shape.begin(), shape.end(), [](Dim d) { return d.is_rows(); });
    if (!plain || readers[0]->op != Op::kDynamicUpdateSlice || readers[0]->outputs[0] != after ||
        readers[0]->inputs[0] != before || graph_.value(before).dtype != DType::kF32) {
      return std::nullopt;
    }
    const SymbolicShape& update = ShapeOf(readers[0]->inputs[1]);
    int position = -1;
    for (int axis = 1; axis < 4; ++axis) {
      if (update[axis] == shape[axis]) continue;
      if (position >= 0) return std::nullopt;
      position = axis;
    }
    if (position < 0 || !options_.probe.IsPositionAlong(readers[0]->inputs[2], position)) {
      return std::nullopt;
    }
    const int heads = position == 1 ? 2 : 1;
    return Cache{before, after, readers[0], heads, position, 6 - position - heads};
  }

  /// A cache as an operand of a product: [1, heads * repetitions, positions, size], or with the
  /// last two exchanged. A null cache if `value` does not show one so.
  ShownCache CacheShownBy(ValueId value, bool positions_last) const {
    std::vector<const Node*> views;
    auto it = CacheAfter(value);
    for (; it == caches_.end(); it = CacheAfter(value)) {
      const Node* view = index_.Producer(value);
      if (view == nullptr || !CacheView::IsView(view->op)) return {};
      views.push_back(view);
      value = view->inputs[0];
    }
    std::vector<CacheAxis> axes(4, CacheAxis::kBatch);
    axes[static_cast<size_t>(it->heads_axis)] = CacheAxis::kHeads;
    axes[static_cast<size_t>(it->position_axis)] = CacheAxis::kPositions;
    axes[static_cast<size_t>(it->size_axis)] = CacheAxis::kSize;
    CacheView shown(ShapeOf(it->after), axes);
    for (auto view = views.rbegin(); view != views.rend(); ++view) {
      if (!shown.Follow(**view, graph_)) return {};
    }
    const std::optional<int64_t> repetitions =
        positions_last ? shown.Repetitions(CacheAxis::kSize, CacheAxis::kPositions)
                       : shown.Repetitions(CacheAxis::kPositions, CacheAxis::kSize);
    return repetitions ? ShownCache{&*it, *repetitions} : ShownCache{};
  }

  std::vector<Cache>::const_iterator CacheAfter(ValueId value) const {
    return std::find_if(caches_.begin(), caches_.end(),
                        [value](const Cache& cache) { return cache.after == value; });
  }

  std::optional<Attention> Match(const Node& root) {
    Attention attention;
    attention.root = &root;
    const auto& mix = root.As<BatchMatMulAttributes>();
    attention.values = CacheShownBy(root.inputs[1], /*positions_last=*/mix.adj_y);
    const Node* softmax = index_.Producer(index_.BeforeReshapes(root.inputs[0]), Op::kSoftmax);
    if (mix.adj_x || attention.values.cache == nullptr || softmax == nullptr ||
        softmax->As<SoftmaxAttributes>().beta != 1) {
      return std::nullopt;
    }
    attention.scores = MatchMask(index_.BeforeReshapes(softmax->inputs[0]), attention);
    if (attention.scores == nullptr || !MatchQueries(*attention.scores, attention)) {
      return std::nullopt;
    }
    return attention;
  }

  /// Finds mask and scale on the way from the masked scores to the product of queries and keys.
  const Node* MatchMask(ValueId masked, Attention& attention) {
    const auto terms = MaskAndScores(masked, [&](ValueId mask) {
      const std::optional<int64_t> window = options_.probe.WindowOf(mask);
      if (window) attention.window = *window;
      return window.has_value();
    });
    if (!terms) return nullptr;
    const SymbolicShape& mask = ShapeOf(terms->first);
    const SymbolicShape& scores = ShapeOf(masked);
    attention.rows = ShapeOf(options_.positions).back();
    if (scores.size() < 2 || scores[scores.size() - 2] != mask[mask.size() - 2] ||
        scores.back() != mask.back()) {
      return nullptr;
    }
    return index_.Producer(BeforeScales(terms->second, attention.scale), Op::kBatchMatMul);
  }

  /// The mask, which `is_mask` accepts, and what it is laid over to give `masked`.
  template <typename Predicate>
  std::optional<std::pair<ValueId, ValueId>> MaskAndScores(ValueId masked,
                                                           const Predicate& is_mask) const {
    if (const Node* sum = index_.Producer(masked, Op::kAdd)) return Commuted(*sum, is_mask);
    const Node* choice = index_.Producer(masked, Op::kSelect);
    if (choice == nullptr || !(index_.Scalar(choice->inputs[2]).value_or(0) <= kHiddenScore) ||
        !is_mask(choice->inputs[0])) {
      return std::nullopt;
    }
    return std::pair(choice->inputs[0], choice->inputs[1]);
  }

  /// `value` without the reshapes and the constant factors that it came through.
  ValueId BeforeScales(ValueId value, float& scale) const {
    for (;;) {
      value = index_.BeforeReshapes(value);
      const Node* product = index_.Producer(value, Op::kMul);
      if (product == nullptr) return value;
      const auto factors =
          Commuted(*product, [&](ValueId factor) { return index_.Scalar(factor).has_value(); });
      if (!factors) return value;
      scale *= *index_.Scalar(factors->first);
      value = factors->second;
    }
  }

  bool MatchQueries(const Node& product, Attention& attention) {
    const auto& [adj_x, adj_y] = product.As<BatchMatMulAttributes>();
    attention.keys = CacheShownBy(product.inputs[1], /*positions_last=*/!adj_y);
    if (adj_x || attention.keys.cache == nullptr ||
        attention.keys.repetitions != attention.values.repetitions) {
      return false;
    }
    const Cache& keys = *attention.keys.cache;
    const Cache& values = *attention.values.cache;
    const SymbolicShape& key_shape = ShapeOf(keys.after);
    const SymbolicShape& value_shape = ShapeOf(values.after);
    // [1, heads of the operand, group * rows, size]
    const SymbolicShape& stacked = ShapeOf(product.inputs[0]);
    const int64_t heads = key_shape[keys.heads_axis].outer() * attention.keys.repetitions;
    if (stacked.size() != 4 || !stacked[0].Is(1) || !stacked[1].Is(heads)) return false;
    const int64_t rows = attention.rows.At(graph_.file_rows);
    const int64_t group = stacked[2].At(graph_.file_rows) / rows;
    const Dim expected = attention.rows.is_rows() ? Dim::Rows(group) : Dim(group * rows);
    if (group < 1 || stacked[2] != expected) return false;
    attention.heads = heads * group;
    attention.query = BeforeScales(product.inputs[0], attention.scale);
    return key_shape[keys.size_axis] == value_shape[values.size_axis] &&
           key_shape[keys.heads_axis] == value_shape[values.heads_axis] &&
           key_shape[keys.position_axis] == value_shape[values.position_axis];
  }

  // Whoever else reads a cache would find it in another layout.
  bool EveryReaderIsKnown() const {
    std::set<const Node*> products;
    for (const Attention& attention : attentions_) {
      products.insert(attention.root);
      products.insert(attention.scores);
    }
    return std::all_of(caches_.begin(), caches_.end(),
                       [&](const Cache& cache) { return EndsIn(products, cache.after); });
  }

  /// True if everything that reads `value`, views of it included, is one of `products`.
  bool EndsIn(const std::set<const Node*>& products, ValueId value) const {
    const auto& readers = index_.Readers(value);
    return std::all_of(readers.begin(), readers.end(), [&](const Node* reader) {
      if (products.contains(reader)) return true;
      const ValueId result = reader->outputs[0];
      return CacheView::IsView(reader->op) && !IsOutput(result) && EndsIn(products, result);
    });
  }

  bool IsOutput(ValueId value) const {
    return std::any_of(graph_.outputs.begin(), graph_.outputs.end(),
                       [value](const Binding& output) { return output.value == value; });
  }

  void Rewrite() {
    std::vector<Node> nodes;
    for (const Node& node : graph_.nodes) {
      const auto cache = std::find_if(caches_.begin(), caches_.end(),
                                      [&](const Cache& c) { return c.update == &node; });
      const auto attention = std::find_if(attentions_.begin(), attentions_.end(),
                                          [&](const Attention& a) { return a.root == &node; });
      if (cache != caches_.end()) {
        WriteUpdate(*cache, nodes);
      } else if (attention != attentions_.end()) {
        WriteAttention(*attention, nodes);
      } else {
        nodes.push_back(node);
      }
    }
    graph_.nodes = std::move(nodes);
    for (const Cache& cache : caches_) {
      const SymbolicShape shape = ShapeOf(cache.before);
      for (const ValueId value : {cache.before, cache.after}) {
        graph_.value(value).dtype = options_.dtype;
        graph_.value(value).shape = {
            shape[cache.heads_axis], shape[cache.position_axis],
            CacheRowLength(options_.dtype, shape[cache.size_axis].outer())};
      }
    }
  }

  ValueId Reshaped(ValueId value, SymbolicShape shape, std::vector<Node>& nodes) {
    if (ShapeOf(value) == shape) return value;
    const TargetAttributes target{Concrete(shape, graph_.file_rows)};
    const ValueId result = AddValueLike(graph_, value, "_reshaped", std::move(shape));
    nodes.push_back({Op::kReshape, {value}, {result}, target});
    return result;
  }

  /// Rows of heads, and how they are to be turned.
  struct HeadRows {
    ValueId value;
    std::vector<ValueId> tables;  ///< Cosines, sines and, where there is a norm, gains.
    float epsilon = 0;
  };
  /// Takes in the rotation that `value`, which is of `shape` but for reshapes, comes from.
  HeadRows BeforeRotation(ValueId value, const SymbolicShape& shape, int row_axis) const {
    const Node* rope = index_.Producer(index_.BeforeReshapes(value), Op::kRope);
    if (rope == nullptr) return {value, {}};
    const auto& [axis, epsilon] = rope->As<RopeAttributes>();
    const SymbolicShape& turned = ShapeOf(rope->inputs[0]);
    // One row, or one head, may stand at any axis.
    const bool single = shape[1].Is(1) || shape[2].Is(1);
    const bool fits = turned[axis] == shape[row_axis] && turned.back() == shape.back() &&
                      (single || (turned == shape && axis == row_axis));
    if (!fits) return {value, {}};
    return {rope->inputs[0], {rope->inputs.begin() + 1, rope->inputs.end()}, epsilon};
  }

  // New rows as [1, rows, heads, size] or [1, heads, rows, size]: what the file brings into the
  // cache's own order is taken as it was before that.
  void WriteUpdate(const Cache& cache, std::vector<Node>& nodes) {
    ValueId rows = cache.update->inputs[1];
    const Dim count = ShapeOf(rows)[cache.position_axis];
    const Dim heads = ShapeOf(rows)[cache.heads_axis];
    const Dim size = ShapeOf(rows)[cache.size_axis];
    // At which axis of `rows` the heads, rows and numbers of a head are.
    std::array<int64_t, 4> axes = {0, cache.heads_axis, cache.position_axis, cache.size_axis};
    if (const Shape permutation = PermutationOf(index_.Producer(rows)); permutation.rank() == 4) {
      for (int64_t& axis : axes) axis = permutation[static_cast<int>(axis)];
      rows = index_.Producer(rows)->inputs[0];
    }
    const bool one_row = count.Is(1) && axes[1] < axes[3];  // It has no place among other axes.
    const bool heads_first = !one_row && axes == std::array<int64_t, 4>{0, 1, 2, 3};
    const bool rows_first = one_row || axes == std::array<int64_t, 4>{0, 2, 1, 3};
    SymbolicShape shape = {1, count, heads, size};
    if (heads_first) std::swap(shape[1], shape[2]);
    HeadRows update;
    if (heads_first || rows_first) {
      update = BeforeRotation(rows, shape, heads_first ? 2 : 1);
      update.value = Reshaped(update.value, shape, nodes);
    } else {
      update.value = AddValueLike(graph_, rows, "_rows", shape);
      nodes.push_back({Op::kTranspose,
                       {rows},
                       {update.value},
                       PermutationAttributes{Shape{0, axes[2], axes[1], axes[3]}}});
    }
    nodes.push_back({Op::kCacheUpdate,
                     {cache.before, update.value, options_.positions},
                     {cache.after},
                     CacheUpdateAttributes{heads_first, update.epsilon}});
    TakeInTables(update, nodes.back());
  }

  static void TakeInTables(const HeadRows& rows, Node& node) {
    node.inputs.insert(node.inputs.end(), rows.tables.begin(), rows.tables.end());
  }

  void WriteAttention(const Attention& attention, std::vector<Node>& nodes) {
    const Dim heads = attention.heads;
    const Cache& keys = *attention.keys.cache;
    const Dim size = ShapeOf(keys.after)[keys.size_axis];
    const Shape exchange = {0, 2, 1, 3};
    const SymbolicShape rows_first = {1, attention.rows, heads, size};
    const SymbolicShape heads_first = {1, heads, attention.rows, size};
    const Node* before = index_.Producer(attention.query);
    const bool exchanged =
        PermutationOf(before) == exchange && ShapeOf(attention.query) == heads_first;
    const bool in_rows = exchanged || attention.rows.Is(1);
    const SymbolicShape& shape = in_rows ? rows_first : heads_first;
    const HeadRows query =
        BeforeRotation(exchanged ? before->inputs[0] : attention.query, shape, in_rows ? 1 : 2);

    const ValueId output = attention.root->outputs[0];
    ValueId mixed = AddValueLike(graph_, output, "_attention", shape);
    nodes.push_back(
        {Op::kAttention,
         {Reshaped(query.value, shape, nodes), keys.after, attention.values.cache->after,
          options_.positions},
         {mixed},
         AttentionAttributes{attention.scale, attention.window, !in_rows, query.epsilon}});
    TakeInTables(query, nodes.back());
    if (exchanged) {
      const ValueId moved = AddValueLike(graph_, output, "_heads", heads_first);
      nodes.push_back({Op::kTranspose, {mixed}, {moved}, PermutationAttributes{exchange}});
      mixed = moved;
    }
    nodes.push_back({Op::kReshape,
                     {mixed},
                     {output},
                     TargetAttributes{Concrete(ShapeOf(output), graph_.file_rows)}});
  }

  Graph& graph_;
  const GraphIndex index_;
  const CacheOptions& options_;
  std::vector<Cache> caches_;
  std::vector<Attention> attentions_;
};

}  // namespace

bool FuseAttention(Graph& graph, const CacheOptions& options) {
  if (!AttentionFuser(graph, options).Run()) return false;
  // What read the caches in the file's shapes would not fit them any more.
  RemoveDeadNodes(graph);
  SimplifyLayout(graph);
  return true;
}

}  // namespace litertlm
