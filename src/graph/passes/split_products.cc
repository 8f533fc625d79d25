// Products whose results are cut apart again, such as queries, keys and values from one matrix:
// each part becomes a product with its rows of the matrix, so that nothing is copied.
#include "graph/passes/graph_index.h"
#include "graph/passes/passes.h"

namespace litertlm {
namespace {

/// The range of axis `axis` that `slice` takes, if it takes the others whole.
struct Part {
  int axis;
  int64_t begin;
  int64_t size;
};
std::optional<Part> PartOf(const Graph& graph, const Node& slice) {
  const SymbolicShape& whole = graph.value(slice.inputs[0]).shape;
  const SymbolicShape& part = graph.value(slice.outputs[0]).shape;
  const auto& [begin, size, stride] = slice.As<SliceAttributes>();
  std::optional<Part> result;
  for (int axis = 0; axis < begin.rank(); ++axis) {
    if (stride[axis] != 1) return std::nullopt;
    if (part[axis] == whole[axis]) continue;
    if (result || whole[axis].is_rows()) return std::nullopt;
    result = Part{axis, begin[axis], size[axis]};
  }
  return result;
}

/// Rows [begin, begin + size) of a constant matrix or vector; kNoValue if they cannot be cut out.
ValueId RowsOf(Graph& graph, ValueId matrix, int64_t begin, int64_t size) {
  Value rows = graph.value(matrix);
  if (!rows.is_constant || rows.shape.empty()) return kNoValue;
  const int64_t count = rows.shape[0].outer();
  const int64_t bits = Info(rows.dtype).bits * (Count(rows.shape).outer() / count);
  if (bits % 8 != 0) return kNoValue;
  rows.name += "_part";
  rows.shape[0] = size;
  rows.data = rows.data.subspan(static_cast<size_t>(begin * bits / 8),
                                static_cast<size_t>(size * bits / 8));
  Quantization& q = rows.quantization;
  if (q.scales.size() > 1) q.scales = q.scales.subspan(begin, size);
  if (!q.block_scales.empty()) {
    const auto blocks = static_cast<int64_t>(q.block_scales.size()) / count;
    q.block_scales = q.block_scales.subspan(begin * blocks, size * blocks);
  }
  return graph.AddValue(std::move(rows));
}

bool Split(const GraphIndex& index, Graph& graph, const Node& node, Emit& emit) {
  if (node.op != Op::kSlice) return false;
  const std::optional<Part> part = PartOf(graph, node);
  const Node* product = index.Producer(index.BeforeReshapes(node.inputs[0]), Op::kFullyConnected);
  if (!part || product == nullptr || !graph.value(product->inputs[1]).is_constant) return false;
  // The outputs of the product are the last axes of what is sliced, from the cut one on.
  const SymbolicShape& whole = graph.value(node.inputs[0]).shape;
  const Dim outputs = Count({whole.begin() + part->axis, whole.end()});
  if (outputs != graph.value(product->outputs[0]).shape.back()) return false;
  const int64_t inner = outputs.outer() / whole[part->axis].outer();
  const int64_t begin = part->begin * inner;
  const int64_t size = part->size * inner;
  Node piece = *product;
  for (size_t i = 1; i < piece.inputs.size(); ++i) {
    if (piece.inputs[i] == kNoValue) continue;
    piece.inputs[i] = RowsOf(graph, piece.inputs[i], begin, size);
    if (piece.inputs[i] == kNoValue) return false;
  }
  SymbolicShape shape = graph.value(product->outputs[0]).shape;
  shape.back() = size;
  piece.outputs = {AddValueLike(graph, product->outputs[0], "_part", std::move(shape))};
  const SymbolicShape& sliced = graph.value(node.outputs[0]).shape;
  Node reshape{Op::kReshape, piece.outputs, node.outputs,
               TargetAttributes{Concrete(sliced, graph.file_rows)}};
  emit.push_back(std::move(piece));
  emit.push_back(std::move(reshape));
  return true;
}

}  // namespace

void SplitProducts(Graph& graph) {
  RewriteNodes(graph, [&graph](const GraphIndex& index, const Node& node, Emit& emit) {
    return Split(index, graph, node, emit);
  });
  SimplifyLayout(graph);
}

}  // namespace litertlm
