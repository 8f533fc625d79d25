// What kernels see of a value while a program runs.
#ifndef LITERTLM_RUNTIME_TENSOR_H_
#define LITERTLM_RUNTIME_TENSOR_H_

#include <cstddef>
#include <span>

#include "base/shape.h"
#include "base/thread_pool.h"
#include "graph/ir.h"
#include "kernels/matmul.h"

namespace litertlm {

/// A contiguous tensor in memory that somebody else owns. A missing input has no `value`.
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

/// What the nodes of a program share while it runs.
struct Workers {
  explicit Workers(int threads) : pool(threads) {}
  ThreadPool pool;
  QuantizedRows quantized;  ///< Activations of the product under way.
};

/// One node under execution. Types were checked when the graph was made.
struct OpContext {
  const Node& node;
  std::span<const Tensor> inputs;
  std::span<const Tensor> outputs;
  Workers& workers;

  const Tensor& in(size_t i) const { return inputs[i]; }
  bool has(size_t i) const { return i < inputs.size() && inputs[i].value != nullptr; }
  const Tensor& out() const { return outputs.front(); }
  template <typename T>
  const T& As() const {
    return node.As<T>();
  }
};

using OpFunction = void (*)(const OpContext& context);

/// The function that computes `op`.
OpFunction FunctionOf(Op op);
/// True if `op` may write its output over its first or second input of the same size.
bool WorksInPlace(Op op);

// Functions by family, one file each in ops/.
OpFunction UnaryFunction(Op op);
OpFunction BinaryFunction(Op op);
void RunCast(const OpContext& context);
void RunDequantize(const OpContext& context);
void RunSelect(const OpContext& context);
void RunCumsum(const OpContext& context);
void RunReduction(const OpContext& context);
void RunSoftmax(const OpContext& context);
void RunRmsNorm(const OpContext& context);
void RunBroadcastTo(const OpContext& context);
void RunConcatenation(const OpContext& context);
void RunDynamicUpdateSlice(const OpContext& context);
void RunGather(const OpContext& context);
void RunPad(const OpContext& context);
void RunReshape(const OpContext& context);
void RunSlice(const OpContext& context);
void RunTile(const OpContext& context);
void RunTranspose(const OpContext& context);
void RunBatchMatMul(const OpContext& context);
void RunEmbeddingLookup(const OpContext& context);
void RunFullyConnected(const OpContext& context);

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_TENSOR_H_
