// Types of values: what an operator accepts, and the type of what it computes.
//
// Every node of a graph passes through `InferType` before anything executes it, so kernels rely on
// ranks, extents, dtypes and attributes without checking them again.
#ifndef LITERTLM_GRAPH_TYPES_H_
#define LITERTLM_GRAPH_TYPES_H_

#include <initializer_list>
#include <string>

#include "graph/ir.h"
#include "litertlm/error.h"

namespace litertlm {

struct Type {
  DType dtype = DType::kF32;
  SymbolicShape shape;
};

/// One node under inspection.
class TypeContext {
 public:
  TypeContext(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  const Node& node() const { return node_; }
  template <typename T>
  const T& As() const {
    return node_.As<T>();
  }
  const Value& output() const { return graph_.value(node_.outputs.front()); }
  int64_t file_rows() const { return graph_.file_rows; }

  size_t inputs() const { return node_.inputs.size(); }
  bool has(size_t i) const { return i < inputs() && node_.inputs[i] != kNoValue; }
  /// Inputs below the operator's minimum are known to be there.
  const Value& in(size_t i) const { return graph_.value(node_.inputs[i]); }
  const SymbolicShape& shape(size_t i) const { return in(i).shape; }
  int rank(size_t i) const { return static_cast<int>(in(i).shape.size()); }

  /// Throws unless input `i` has one of these dtypes.
  void Require(size_t i, std::initializer_list<DType> dtypes) const;
  /// Throws unless input `i` has the dtype of input 0.
  void RequireSameDType(size_t i) const;
  /// Throws unless elements of input `i` are whole bytes, so that they can be moved.
  void RequireWholeBytes(size_t i) const;
  /// Throws kBadInput unless `condition`; the message names graph, operator and tensor.
  void Check(bool condition, const char* detail) const {
    if (!condition) Fail(ErrorCode::kBadInput, detail);
  }
  [[noreturn]] void Fail(ErrorCode code, const std::string& detail) const;

 private:
  const Graph& graph_;
  const Node& node_;
};

/// Checks `node` and gives the type of its output. Throws kBadInput or kUnsupported.
Type InferType(const Graph& graph, const Node& node);
/// Sets the type of every value that a node computes, from those of inputs and constants.
void InferTypes(Graph& graph);

/// The shape that both broadcast to, after NumPy's rule.
SymbolicShape BroadcastShapes(const TypeContext& context, const SymbolicShape& a,
                              const SymbolicShape& b);

// One function for each family of operators.
Type InferUnary(const TypeContext& context);
Type InferCast(const TypeContext& context);
Type InferDequantize(const TypeContext& context);
Type InferQuantize(const TypeContext& context);
Type InferLogicalNot(const TypeContext& context);
Type InferArithmetic(const TypeContext& context);
Type InferComparison(const TypeContext& context);
Type InferLogical(const TypeContext& context);
Type InferSelect(const TypeContext& context);
Type InferReduction(const TypeContext& context);
Type InferSoftmax(const TypeContext& context);
Type InferCumsum(const TypeContext& context);
Type InferTopK(const TypeContext& context);
Type InferBroadcastTo(const TypeContext& context);
Type InferConcatenation(const TypeContext& context);
Type InferDynamicUpdateSlice(const TypeContext& context);
Type InferGather(const TypeContext& context);
Type InferPad(const TypeContext& context);
Type InferReshape(const TypeContext& context);
Type InferScatterNd(const TypeContext& context);
Type InferSlice(const TypeContext& context);
Type InferTile(const TypeContext& context);
Type InferTranspose(const TypeContext& context);
Type InferBatchMatMul(const TypeContext& context);
Type InferEmbeddingLookup(const TypeContext& context);
Type InferFullyConnected(const TypeContext& context);
Type InferRmsNorm(const TypeContext& context);
Type InferAttention(const TypeContext& context);
Type InferCacheUpdate(const TypeContext& context);
Type InferGatedProduct(const TypeContext& context);
Type InferRope(const TypeContext& context);

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_TYPES_H_
