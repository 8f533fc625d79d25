// TFLite models: what `TfliteModel` promises after `Parse` is used here without any check; and
// every signature either becomes a graph or is refused, also one whose shapes are open.
#include <cstdlib>

#include "format/tflite.h"
#include "graph/import.h"
#include "litertlm/error.h"

namespace {

using namespace litertlm;

void UseTensor(const TfliteModel& model, const tflite::SubGraph& graph,
               const tflite::Tensor& tensor) {
  const Bytes data = model.Data(tensor);
  if (!data.empty()) {
    [[maybe_unused]] const volatile std::byte last = data.back();
  }
  if (!DTypeFromTflite(static_cast<int>(tensor.type()))) std::abort();
  if (tensor.quantization() == nullptr) return;
  if (const auto* blocks = tensor.quantization()->details_as_BlockwiseQuantization()) {
    model.Data(*graph.tensors()->Get(static_cast<uint32_t>(blocks->scales())));
  }
}

void UseOperators(const TfliteModel& model, const tflite::SubGraph& graph) {
  if (graph.operators() == nullptr) return;
  for (const tflite::Operator* op : *graph.operators()) {
    BuiltinCode(*model.model().operator_codes()->Get(op->opcode_index()));
    if (op->inputs() == nullptr) continue;
    for (const int32_t input : *op->inputs()) {
      if (input >= 0) model.Data(*graph.tensors()->Get(static_cast<uint32_t>(input)));
    }
  }
}

void ImportSignatures(const TfliteModel& model) {
  const auto length = [](std::string_view, int, int) { return 4; };
  const auto zeros = [](const Graph& graph, const Node& node) {
    const Value& output = graph.value(node.outputs.front());
    const auto count = static_cast<uint64_t>(Concrete(output.shape, 1).count());
    return std::vector<std::byte>(BytesFor(output.dtype, count));
  };
  for (const std::string& key : SignatureKeys(model)) {
    for (const OpenShapes& open : {OpenShapes(), OpenShapes{length, zeros}}) {
      try {
        ImportSignature(model, key, open);
      } catch (const Error&) {
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const TfliteModel model = TfliteModel::Parse(std::as_bytes(std::span(data, size)), {}, "fuzz");
    for (const tflite::SubGraph* graph : *model.model().subgraphs()) {
      if (graph->tensors() == nullptr) continue;
      for (const tflite::Tensor* tensor : *graph->tensors()) UseTensor(model, *graph, *tensor);
      UseOperators(model, *graph);
    }
    ImportSignatures(model);
  } catch (const Error&) {
  }
  return 0;
}
