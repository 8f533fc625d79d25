// Small TFLite models for tests, written operator by operator.
#ifndef LITERTLM_TESTS_GRAPH_MODEL_WRITER_H_
#define LITERTLM_TESTS_GRAPH_MODEL_WRITER_H_

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "format/tflite.h"
#include "format/tflite_builder.h"
#include "tests/format/memory_sink.h"

namespace litertlm {

using Builtin = tflite::BuiltinOperator;
using Extents = std::vector<int32_t>;

/// A model in memory, with its bytes aligned as FlatBuffers need them.
struct TestModel {
  explicit TestModel(std::string_view data) : words((data.size() + 15) / 8), size(data.size()) {
    std::memcpy(words.data(), data.data(), data.size());
  }
  Bytes bytes() const { return std::as_bytes(std::span(words)).first(size); }
  TfliteModel Parse() const { return TfliteModel::Parse(bytes(), {}, "test.tflite"); }

  std::vector<uint64_t> words;
  size_t size;
};

/// One signature under construction.
class SignatureWriter {
 public:
  SignatureWriter(TfliteBuilder& builder, std::string key)
      : builder_(builder), key_(std::move(key)), graph_(builder.AddSubgraph(key_)) {}

  TensorId Input(const std::string& name, Extents shape, DType dtype = DType::kF32) {
    const TensorId id = graph_.AddTensor(name, dtype, std::move(shape));
    inputs_.emplace_back(name, id);
    return id;
  }
  template <typename T>
  TensorId Constant(Extents shape, const std::vector<T>& values, DType dtype,
                    TensorQuantization quantization = {}) {
    const BufferId buffer = builder_.AddBuffer(std::as_bytes(std::span(values)));
    return graph_.AddConstant("constant" + std::to_string(next_++), dtype, std::move(shape), buffer,
                              std::move(quantization));
  }
  TensorId Floats(Extents shape, const std::vector<float>& values) {
    return Constant(std::move(shape), values, DType::kF32);
  }
  TensorId Ints(const std::vector<int32_t>& values) {
    return Constant({static_cast<int32_t>(values.size())}, values, DType::kI32);
  }
  TensorId Int(int32_t value) { return Constant<int32_t>({}, {value}, DType::kI32); }
  TensorId Tensor(Extents shape, DType dtype = DType::kF32) {
    return graph_.AddTensor("tensor" + std::to_string(next_++), dtype, std::move(shape));
  }

  /// Adds an operator with one output.
  TensorId Op(Builtin code, std::vector<TensorId> inputs, Extents shape,
              DType dtype = DType::kF32) {
    return Op(code, std::move(inputs), std::move(shape), dtype, [](OperatorSpec&) {});
  }
  template <typename Options>
  TensorId OpWith(Builtin code, std::vector<TensorId> inputs, Extents shape, Options options,
                  DType dtype = DType::kF32) {
    return Op(code, std::move(inputs), std::move(shape), dtype,
              [&](OperatorSpec& spec) { spec.options.Set(std::move(options)); });
  }
  void AddOperator(OperatorSpec spec) { graph_.AddOperator(std::move(spec)); }

  void Output(const std::string& name, TensorId id) { outputs_.emplace_back(name, id); }
  SubgraphBuilder& graph() { return graph_; }

  void Finish() { builder_.AddSignature(key_, graph_, inputs_, outputs_); }
  /// The same for a subgraph that is no signature, such as a decomposition.
  void FinishSubgraph() {
    const auto ids = [](const auto& pairs) {
      std::vector<TensorId> result;
      for (const auto& [name, id] : pairs) result.push_back(id);
      return result;
    };
    graph_.SetInputs(ids(inputs_));
    graph_.SetOutputs(ids(outputs_));
  }

 private:
  template <typename F>
  TensorId Op(Builtin code, std::vector<TensorId> inputs, Extents shape, DType dtype, F set) {
    OperatorSpec spec{.code = code};
    spec.inputs = std::move(inputs);
    spec.outputs = {Tensor(std::move(shape), dtype)};
    const TensorId output = spec.outputs.front();
    set(spec);
    graph_.AddOperator(std::move(spec));
    return output;
  }

  TfliteBuilder& builder_;
  std::string key_;
  SubgraphBuilder& graph_;
  std::vector<std::pair<std::string, TensorId>> inputs_;
  std::vector<std::pair<std::string, TensorId>> outputs_;
  int next_ = 0;
};

inline TestModel FinishModel(TfliteBuilder& builder) {
  builder.Finish();
  MemorySink sink;
  builder.Write(sink);
  return TestModel(sink.data);
}

}  // namespace litertlm

#endif  // LITERTLM_TESTS_GRAPH_MODEL_WRITER_H_
