// Runs a signature of a test model operator by operator.
#ifndef LITERTLM_TESTS_RUNTIME_RUN_MODEL_H_
#define LITERTLM_TESTS_RUNTIME_RUN_MODEL_H_

#include <cstring>
#include <functional>
#include <map>
#include <string>
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

/// Writes a model with one signature, runs it, and returns the first output. Inputs are given in
/// the order in which the signature lists them: sorted by name.
inline Array RunModel(const std::function<void(SignatureWriter&)>& write,
                      std::vector<Array> inputs) {
  TfliteBuilder builder;
  SignatureWriter writer(builder, "main");
  write(writer);
  writer.Finish();
  const TestModel data = FinishModel(builder);
  const TfliteModel model = data.Parse();
  Graph graph = ImportSignature(model, "main");
  FoldDequantize(graph);
  const Shape shape = Concrete(graph.value(graph.outputs.at(0).value).shape, 1);
  const DType dtype = graph.value(graph.outputs[0].value).dtype;
  Array output;
  output.bytes.resize(BytesFor(dtype, static_cast<uint64_t>(shape.count())));
  std::vector<std::byte*> pointers;
  for (Array& input : inputs) pointers.push_back(input.bytes.data());
  std::vector<std::byte*> results = {output.bytes.data()};
  Workers workers(2);
  Arena arena;
  Program(std::move(graph), {}).Run(1, pointers, results, arena, workers);
  return output;
}

}  // namespace litertlm

#endif  // LITERTLM_TESTS_RUNTIME_RUN_MODEL_H_
