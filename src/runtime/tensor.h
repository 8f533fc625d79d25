// What kernels see of a value while a program runs.
#ifndef LITERTLM_RUNTIME_TENSOR_H_
#define LITERTLM_RUNTIME_TENSOR_H_

#include <cstddef>
#include <span>
#include <utility>

#include "base/shape.h"
#include "base/thread_pool.h"
#include "graph/ir.h"
#include "kernels/matmul.h"
#include "runtime/op_times.h"

namespace litertlm {

/// A contiguous tensor in memory that somebody else owns.
struct Tensor {
  const Value* value = nullptr;
  Shape shape;
  std::byte* data = nullptr;  ///< Kernels write outputs only.

  DType dtype() const { return value->dtype; }
  int64_t count() const { return shape.count(); }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data);
  }
  template <typename T>
  T* mutable_as() const {
    return reinterpret_cast<T*>(data);
  }
};

class OutputHead;

/// What the nodes of a program share while it runs.
struct Workers {
  explicit Workers(int threads) : pool(threads) {}
  ThreadPool pool;
  /// Activations of the product under way, and of the next one: threads get hold of the memory of
  /// those while they compute with these.
  QuantizedRows coded;
  QuantizedRows coded_next;
  OutputHead* output_head = nullptr;  ///< Of the program under way; null: it computes all logits.
  OpTimes* op_times = nullptr;        ///< Where the time of each node is added; null: nowhere.

  /// For the activations of the product that comes next, which is then under way.
  QuantizedRows& NextCodes() {
    std::swap(coded, coded_next);
    return coded;
  }
};

/// One node under execution. Types were checked when the graph was made.
struct OpContext {
  const Node& node;
  std::span<const Tensor> tensors;  ///< By value of the graph.
  Workers& workers;

  size_t inputs() const { return node.inputs.size(); }
  const Tensor& in(size_t i) const { return tensors[static_cast<size_t>(node.inputs[i])]; }
  bool has(size_t i) const { return i < inputs() && node.inputs[i] != kNoValue; }
  const Tensor& out() const { return tensors[static_cast<size_t>(node.outputs.front())]; }
  template <typename T>
  const T& As() const {
    return node.As<T>();
  }
};

using OpFunction = void (*)(const OpContext& context);

/// The function that computes `op`.
OpFunction FunctionOf(Op op);
/// Over how many of its first inputs `op` may write its output, where they have as many elements,
/// of the same size.
size_t InputsToWriteOver(Op op);

// Functions by family, one file each in ops/.
OpFunction UnaryFunction(Op op);
OpFunction BinaryFunction(Op op);
void RunCast(const OpContext& context);
void RunDequantize(const OpContext& context);
void RunQuantize(const OpContext& context);
void RunSelect(const OpContext& context);
void RunCumsum(const OpContext& context);
void RunReduction(const OpContext& context);
void RunSoftmax(const OpContext& context);
void RunTopK(const OpContext& context);
void RunBroadcastTo(const OpContext& context);
void RunConcatenation(const OpContext& context);
void RunDynamicUpdateSlice(const OpContext& context);
void RunGather(const OpContext& context);
void RunPad(const OpContext& context);
void RunReshape(const OpContext& context);
void RunScatterNd(const OpContext& context);
void RunSlice(const OpContext& context);
void RunTile(const OpContext& context);
void RunTranspose(const OpContext& context);
void RunBatchMatMul(const OpContext& context);
void RunEmbeddingLookup(const OpContext& context);
void RunFullyConnected(const OpContext& context);
void RunAttention(const OpContext& context);
void RunCacheUpdate(const OpContext& context);
void RunRope(const OpContext& context);

/// The most products that are computed together.
inline constexpr size_t kMaxProducts = 8;
/// True if two nodes are products that `RunProducts` can compute together.
bool AreProductsOfOneInput(const Graph& graph, const Node& a, const Node& b);
/// True if a product's input is quantized on the way.
bool QuantizesInput(const Graph& graph, const Node& product);
/// Computes products of one input: it is quantized once, and threads share all of them. `coded`: it
/// is already, in the workers' activations. `upcoming` are the products that will follow these.
void RunProducts(std::span<const OpContext> products, bool coded,
                 std::span<const OpContext> upcoming);

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_TENSOR_H_
