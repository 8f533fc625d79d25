// Builds a TFLite model whose weights are streamed to disk.
//
// All buffers that `AddStreamedBuffer` gets lie behind the FlatBuffer (Buffer.offset and size), so
// the FlatBuffer stays small, a model may exceed 2 GiB, and no weight is held in memory.
#ifndef LITERTLM_FORMAT_TFLITE_BUILDER_H_
#define LITERTLM_FORMAT_TFLITE_BUILDER_H_

#include <schema/tflite_generated.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "base/file.h"

namespace litertlm {

using BufferId = uint32_t;  ///< Index into Model.buffers; 0 is the empty buffer.
using TensorId = int32_t;   ///< Index into a subgraph's tensors; -1 is "none".

/// How a tensor's codes map to numbers.
struct TensorQuantization {
  std::vector<float> scales = {};         ///< Per channel along `dimension`; empty for blockwise.
  std::vector<int64_t> zero_points = {};  ///< As many as scales, or empty, if all are 0.
  int32_t dimension = 0;
  TensorId block_scales = -1;  ///< Blockwise: a f16 tensor [rows, columns / block_size].
  int32_t block_size = 0;
  bool empty() const { return scales.empty() && block_scales < 0; }
};

struct OperatorSpec {
  tflite::BuiltinOperator code;
  int32_t version = 1;
  std::vector<TensorId> inputs = {};
  std::vector<TensorId> outputs = {};
  tflite::BuiltinOptionsUnion options = {};    ///< Type NONE where the operator has none.
  tflite::BuiltinOptions2Union options2 = {};  ///< For STABLEHLO_COMPOSITE.
  std::string custom_code = {};                ///< For CUSTOM.
  std::vector<uint8_t> custom_options = {};
};

class TfliteBuilder;

/// One subgraph under construction; owned by its builder.
class SubgraphBuilder {
 public:
  /// A tensor that is not a constant.
  TensorId AddTensor(std::string name, DType dtype, std::vector<int32_t> shape);
  /// A constant stored in `buffer`.
  TensorId AddConstant(std::string name, DType dtype, std::vector<int32_t> shape, BufferId buffer,
                       TensorQuantization quantization = {});
  void AddOperator(OperatorSpec spec);
  /// For subgraphs that are no signature.
  void SetInputs(std::vector<TensorId> inputs);
  void SetOutputs(std::vector<TensorId> outputs);
  const std::vector<int32_t>& Shape(TensorId tensor) const;

 private:
  friend class TfliteBuilder;
  struct State;
  explicit SubgraphBuilder(std::string name);
  std::shared_ptr<State> state_;
};

class TfliteBuilder {
 public:
  TfliteBuilder();
  ~TfliteBuilder();

  /// Stored inside the FlatBuffer; equal contents are stored once. For small constants.
  BufferId AddBuffer(Bytes data);
  /// Stored behind the FlatBuffer, aligned to 64 bytes. `produce` writes exactly `size` bytes when
  /// `Write` comes to it, in the order in which the buffers were added.
  BufferId AddStreamedBuffer(uint64_t size, std::function<void(ByteSink&)> produce);

  /// The reference stays valid for the builder's life.
  SubgraphBuilder& AddSubgraph(std::string name);
  int32_t SubgraphIndex(const SubgraphBuilder& subgraph) const;
  /// What a signature names are its subgraph's inputs and outputs, in this order; the names are
  /// written sorted.
  void AddSignature(std::string key, SubgraphBuilder& subgraph,
                    std::vector<std::pair<std::string, TensorId>> inputs,
                    std::vector<std::pair<std::string, TensorId>> outputs);
  void AddMetadata(std::string name, std::string_view value);
  void SetDescription(std::string text);

  /// Lays the model out; nothing can be added afterwards. Returns its size in bytes.
  uint64_t Finish();
  /// After `Finish`.
  void Write(ByteSink& sink) const;

 private:
  friend class SubgraphBuilder;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_TFLITE_BUILDER_H_
