// Runs a signature of a test model operator by operator.
#ifndef LITERTLM_TESTS_RUNTIME_RUN_MODEL_H_
#define LITERTLM_TESTS_RUNTIME_RUN_MODEL_H_

#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/import.h"
#include "runtime/program.h"
#include "tests/graph/model_writer.h"

namespace litertlm {

/// Values of a tensor, whatever their type.
struct Array {
  template <typename T>
  static Array Of(const std::vector<T>& values) {
    Array array;
    array.bytes.resize(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
    return array;
  }
  template <typename T>
  std::vector<T> As() const {
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  std::vector<std::byte> bytes;
};

/// Runs a signature operator by operator. Inputs and outputs are in the order in which the
/// signature lists them: sorted by name.
inline std::vector<Array> RunSignature(const TfliteModel& model, std::string_view key,
                                       std::vector<Array> inputs) {
  Graph graph = ImportSignature(model, key);
  FoldDequantize(graph);
  std::vector<Array> outputs(graph.outputs.size());
  std::vector<std::byte*> results;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Value& value = graph.value(graph.outputs[i].value);
    const Shape shape = Concrete(value.shape, 1);
    outputs[i].bytes.resize(BytesFor(value.dtype, static_cast<uint64_t>(shape.count())));
    results.push_back(outputs[i].bytes.data());
  }
  std::vector<std::byte*> pointers;
  for (Array& input : inputs) pointers.push_back(input.bytes.data());
  Workers workers(2);
  Arena arena;
  Program(std::move(graph), {}).Run(1, pointers, results, arena, workers);
  return outputs;
}

/// Writes a model with one signature, runs it, and returns the first output.
inline Array RunModel(const std::function<void(SignatureWriter&)>& write,
                      std::vector<Array> inputs) {
  TfliteBuilder builder;
  SignatureWriter writer(builder, "main");
  write(writer);
  writer.Finish();
  const TestModel data = FinishModel(builder);
  return RunSignature(data.Parse(), "main", std::move(inputs)).at(0);
}

}  // namespace litertlm

#endif  // LITERTLM_TESTS_RUNTIME_RUN_MODEL_H_
