#include "tests/conformance/codes/taps.h"

#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr auto kFullyConnected = static_cast<int32_t>(tflite::BuiltinOperator::FULLY_CONNECTED);

bool IsCoded(tflite::TensorType type) {
  return type == tflite::TensorType::INT8 || type == tflite::TensorType::INT4;
}

const tflite::SignatureDef& SignatureOf(const TfliteModel& model, std::string_view key) {
  for (const tflite::SignatureDef* signature : *model.model().signature_defs()) {
    if (signature->signature_key()->string_view() == key) return *signature;
  }
  throw Error(ErrorCode::kNotFound, fmt::format("{}: no signature '{}'.", model.name(), key));
}

// Weights behind the FlatBuffer move into it.
void MoveBuffersInside(const TfliteModel& model, tflite::ModelT& copy) {
  for (const tflite::SubGraph* graph : *model.model().subgraphs()) {
    for (const tflite::Tensor* tensor : *graph->tensors()) {
      const Bytes data = model.Data(*tensor);
      if (data.empty()) continue;
      tflite::BufferT& buffer = *copy.buffers[tensor->buffer()];
      const auto* bytes = reinterpret_cast<const uint8_t*>(data.data());
      buffer.data.assign(bytes, bytes + data.size());
      buffer.offset = 0;
      buffer.size = 0;
    }
  }
}

}  // namespace

std::vector<Tap> TapsOf(const TfliteModel& model, std::string_view key) {
  const auto& codes = *model.model().operator_codes();
  const tflite::SubGraph& graph =
      *model.model().subgraphs()->Get(SignatureOf(model, key).subgraph_index());
  std::vector<Tap> taps;
  for (const tflite::Operator* op : *graph.operators()) {
    if (BuiltinCode(*codes[op->opcode_index()]) != kFullyConnected) continue;
    const TensorId input = op->inputs()->Get(0);
    const tflite::Tensor& weights = *graph.tensors()->Get(op->inputs()->Get(1));
    const bool is_known =
        std::ranges::any_of(taps, [&](const Tap& tap) { return tap.tensor == input; });
    if (!IsCoded(weights.type()) || is_known) continue;
    const std::string name = weights.name()->str();
    taps.push_back({fmt::format("tap_{:03} {}", taps.size(), name), name, input});
  }
  return taps;
}

std::string WithTaps(const TfliteModel& model) {
  const std::unique_ptr<tflite::ModelT> copy(model.model().UnPack());
  MoveBuffersInside(model, *copy);
  for (const auto& signature : copy->signature_defs) {
    for (const Tap& tap : TapsOf(model, signature->signature_key)) {
      auto output = std::make_unique<tflite::TensorMapT>();
      output->name = tap.output;
      output->tensor_index = static_cast<uint32_t>(tap.tensor);
      signature->outputs.push_back(std::move(output));
      copy->subgraphs[signature->subgraph_index]->outputs.push_back(tap.tensor);
    }
  }
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(tflite::Model::Pack(builder, copy.get()), "TFL3");
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

void AddTaps(const std::vector<Tap>& taps, Graph& graph) {
  for (const Tap& tap : taps) {
    const auto product = std::ranges::find_if(graph.nodes, [&](const Node& node) {
      return node.op == Op::kFullyConnected && graph.value(node.inputs[1]).name == tap.weights;
    });
    if (product == graph.nodes.end()) {
      throw Error(ErrorCode::kInternal,
                  fmt::format("{}: no product with {}.", graph.name, tap.weights));
    }
    graph.outputs.push_back({tap.output, product->inputs[0]});
  }
}

}  // namespace litertlm
