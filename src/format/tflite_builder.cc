#include "format/tflite_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <tuple>

#include "litertlm/error.h"

namespace litertlm {
namespace {

namespace fb = flatbuffers;

constexpr uint64_t kWeightAlignment = 64;  // What vector kernels like best.
// 0 is the field's default and would not be stored, 1 means "not used" to readers.
constexpr uint64_t kUnplaced = 2;

uint64_t AlignUp(uint64_t offset) {
  return (offset + kWeightAlignment - 1) / kWeightAlignment * kWeightAlignment;
}

}  // namespace

// Tensors and operators are written into the FlatBuffer as they are added: what is kept here is
// only their offsets, so that the scales of a model are held once.
struct SubgraphBuilder::State {
  TfliteBuilder::State* model = nullptr;
  int32_t index = 0;
  std::string name;
  std::vector<std::vector<int32_t>> shapes;
  std::vector<fb::Offset<tflite::Tensor>> tensors;
  std::vector<fb::Offset<tflite::Operator>> operators;
  std::vector<TensorId> inputs;
  std::vector<TensorId> outputs;
};

struct TfliteBuilder::State {
  struct StreamedBuffer {
    BufferId id;
    uint64_t size;
    uint64_t offset;
    std::function<void(ByteSink&)> produce;
  };

  fb::FlatBufferBuilder builder{1 << 20};
  std::string description;
  std::vector<fb::Offset<tflite::Buffer>> buffers;
  std::vector<StreamedBuffer> streamed;
  std::map<std::string, BufferId, std::less<>> inline_buffers;
  // By dimension, scales and zero points: all signatures share a weight's.
  std::map<std::tuple<int32_t, std::vector<float>, std::vector<int64_t>>,
           fb::Offset<tflite::QuantizationParameters>>
      channel_scales;
  std::map<size_t, fb::Offset<fb::Vector<int64_t>>> zero_points;  // By their number.
  std::map<std::tuple<int32_t, int32_t, std::string>, uint32_t> operator_codes;
  std::vector<fb::Offset<tflite::OperatorCode>> code_tables;
  std::deque<SubgraphBuilder> subgraphs;
  std::vector<fb::Offset<tflite::SignatureDef>> signatures;
  std::vector<fb::Offset<tflite::Metadata>> metadata;
  uint64_t size = 0;

  uint32_t OperatorCode(const OperatorSpec& spec) {
    const auto code = static_cast<int32_t>(spec.code);
    const auto [it, added] = operator_codes.try_emplace(
        {code, spec.version, spec.custom_code}, static_cast<uint32_t>(operator_codes.size()));
    if (added) {
      const auto custom = spec.custom_code.empty() ? 0 : builder.CreateString(spec.custom_code);
      code_tables.push_back(tflite::CreateOperatorCode(
          builder, static_cast<int8_t>(std::min(code, 127)), custom, spec.version, code));
    }
    return it->second;
  }

  fb::Offset<tflite::QuantizationParameters> Quantization(TensorQuantization quantization) {
    const int32_t dimension = quantization.dimension;
    if (quantization.block_scales >= 0) {
      const auto details = tflite::CreateBlockwiseQuantization(builder, quantization.block_scales,
                                                               -1, quantization.block_size);
      return tflite::CreateQuantizationParameters(
          builder, 0, 0, 0, 0, tflite::QuantizationDetails::BlockwiseQuantization, details.Union(),
          dimension);
    }
    const auto [it, added] = channel_scales.try_emplace(
        {dimension, std::move(quantization.scales), std::move(quantization.zero_points)});
    if (added) {
      const auto& [unused, scales, points] = it->first;
      const auto scale_vector = builder.CreateVector(scales);
      const auto zeros = points.empty() ? Zeros(scales.size()) : builder.CreateVector(points);
      it->second = tflite::CreateQuantizationParameters(
          builder, 0, 0, scale_vector, zeros, tflite::QuantizationDetails::NONE, 0, dimension);
    }
    return it->second;
  }

  fb::Offset<fb::Vector<int64_t>> Zeros(size_t count) {
    const auto [it, added] = zero_points.try_emplace(count);
    if (added) it->second = builder.CreateVector(std::vector<int64_t>(count, 0));
    return it->second;
  }
};

SubgraphBuilder::SubgraphBuilder(std::string name) : state_(std::make_shared<State>()) {
  state_->name = std::move(name);
}

TensorId SubgraphBuilder::AddTensor(std::string name, DType dtype, std::vector<int32_t> shape) {
  return AddConstant(std::move(name), dtype, std::move(shape), 0);
}

TensorId SubgraphBuilder::AddConstant(std::string name, DType dtype, std::vector<int32_t> shape,
                                      BufferId buffer, TensorQuantization quantization) {
  State& s = *state_;
  fb::FlatBufferBuilder& builder = s.model->builder;
  const auto shape_offset = builder.CreateVector(shape);
  const auto name_offset = builder.CreateString(name);
  const fb::Offset<tflite::QuantizationParameters> parameters =
      quantization.empty() ? 0 : s.model->Quantization(std::move(quantization));
  s.tensors.push_back(tflite::CreateTensor(builder, shape_offset,
                                           static_cast<tflite::TensorType>(Info(dtype).tflite),
                                           buffer, name_offset, parameters));
  s.shapes.push_back(std::move(shape));
  return static_cast<TensorId>(s.shapes.size() - 1);
}

void SubgraphBuilder::AddOperator(OperatorSpec spec) {
  State& s = *state_;
  fb::FlatBufferBuilder& builder = s.model->builder;
  const uint32_t code = s.model->OperatorCode(spec);
  const auto inputs = builder.CreateVector(spec.inputs);
  const auto outputs = builder.CreateVector(spec.outputs);
  const auto options = spec.options.Pack(builder);
  const auto options2 = spec.options2.Pack(builder);
  const auto custom = spec.custom_options.empty() ? 0 : builder.CreateVector(spec.custom_options);
  s.operators.push_back(tflite::CreateOperator(builder, code, inputs, outputs, spec.options.type,
                                               options, custom, 0, 0, 0, 0, 0, spec.options2.type,
                                               options2));
}

void SubgraphBuilder::SetInputs(std::vector<TensorId> inputs) {
  state_->inputs = std::move(inputs);
}

void SubgraphBuilder::SetOutputs(std::vector<TensorId> outputs) {
  state_->outputs = std::move(outputs);
}

const std::vector<int32_t>& SubgraphBuilder::Shape(TensorId tensor) const {
  return state_->shapes.at(static_cast<size_t>(tensor));
}

TfliteBuilder::TfliteBuilder() : state_(std::make_unique<State>()) {
  state_->buffers.push_back(tflite::CreateBuffer(state_->builder));
}

TfliteBuilder::~TfliteBuilder() = default;

BufferId TfliteBuilder::AddBuffer(Bytes data) {
  State& s = *state_;
  const auto id = static_cast<BufferId>(s.buffers.size());
  const auto [it, added] = s.inline_buffers.try_emplace(std::string(AsText(data)), id);
  if (added) {
    s.builder.ForceVectorAlignment(data.size(), 1, 16);
    const auto bytes =
        s.builder.CreateVector(reinterpret_cast<const uint8_t*>(data.data()), data.size());
    s.buffers.push_back(tflite::CreateBuffer(s.builder, bytes));
  }
  return it->second;
}

BufferId TfliteBuilder::AddStreamedBuffer(uint64_t size, std::function<void(ByteSink&)> produce) {
  State& s = *state_;
  const auto id = static_cast<BufferId>(s.buffers.size());
  s.buffers.push_back(tflite::CreateBuffer(s.builder, 0, kUnplaced, size));
  s.streamed.push_back({id, size, 0, std::move(produce)});
  return id;
}

SubgraphBuilder& TfliteBuilder::AddSubgraph(std::string name) {
  State& s = *state_;
  s.subgraphs.push_back(SubgraphBuilder(std::move(name)));
  SubgraphBuilder& subgraph = s.subgraphs.back();
  subgraph.state_->model = &s;
  subgraph.state_->index = static_cast<int32_t>(s.subgraphs.size() - 1);
  return subgraph;
}

int32_t TfliteBuilder::SubgraphIndex(const SubgraphBuilder& subgraph) const {
  return subgraph.state_->index;
}

void TfliteBuilder::AddSignature(std::string key, SubgraphBuilder& subgraph,
                                 std::vector<std::pair<std::string, TensorId>> inputs,
                                 std::vector<std::pair<std::string, TensorId>> outputs) {
  State& s = *state_;
  const auto tensors_of = [](const std::vector<std::pair<std::string, TensorId>>& entries) {
    std::vector<TensorId> tensors;
    for (const auto& [name, tensor] : entries) tensors.push_back(tensor);
    return tensors;
  };
  subgraph.SetInputs(tensors_of(inputs));
  subgraph.SetOutputs(tensors_of(outputs));
  const auto map = [&](std::vector<std::pair<std::string, TensorId>>& entries) {
    std::sort(entries.begin(), entries.end());
    std::vector<fb::Offset<tflite::TensorMap>> offsets;
    for (const auto& [name, tensor] : entries) {
      offsets.push_back(tflite::CreateTensorMap(s.builder, s.builder.CreateString(name),
                                                static_cast<uint32_t>(tensor)));
    }
    return s.builder.CreateVector(offsets);
  };
  const auto input_map = map(inputs);
  const auto output_map = map(outputs);
  s.signatures.push_back(
      tflite::CreateSignatureDef(s.builder, input_map, output_map, s.builder.CreateString(key),
                                 static_cast<uint32_t>(SubgraphIndex(subgraph))));
}

void TfliteBuilder::AddMetadata(std::string name, std::string_view value) {
  State& s = *state_;
  const BufferId buffer = AddBuffer(AsBytes(value));
  s.metadata.push_back(tflite::CreateMetadata(s.builder, s.builder.CreateString(name), buffer));
}

void TfliteBuilder::SetDescription(std::string text) { state_->description = std::move(text); }

uint64_t TfliteBuilder::Finish() {
  State& s = *state_;
  constexpr uint32_t kSchemaVersion = 3;
  std::vector<fb::Offset<tflite::SubGraph>> subgraphs;
  for (const SubgraphBuilder& subgraph : s.subgraphs) {
    const SubgraphBuilder::State& g = *subgraph.state_;
    const auto tensors = s.builder.CreateVector(g.tensors);
    const auto inputs = s.builder.CreateVector(g.inputs);
    const auto outputs = s.builder.CreateVector(g.outputs);
    const auto operators = s.builder.CreateVector(g.operators);
    subgraphs.push_back(tflite::CreateSubGraph(s.builder, tensors, inputs, outputs, operators,
                                               s.builder.CreateString(g.name)));
  }
  const auto codes = s.builder.CreateVector(s.code_tables);
  const auto subgraph_vector = s.builder.CreateVector(subgraphs);
  const auto description = s.builder.CreateString(s.description);
  const auto buffers = s.builder.CreateVector(s.buffers);
  const auto metadata = s.builder.CreateVector(s.metadata);
  const auto signatures = s.builder.CreateVector(s.signatures);
  s.builder.Finish(tflite::CreateModel(s.builder, kSchemaVersion, codes, subgraph_vector,
                                       description, buffers, 0, metadata, signatures),
                   tflite::ModelIdentifier());

  // Only now is the FlatBuffer's size known, and with it the place of what lies behind it.
  tflite::Model* model = tflite::GetMutableModel(s.builder.GetBufferPointer());
  uint64_t offset = s.builder.GetSize();
  for (State::StreamedBuffer& buffer : s.streamed) {
    buffer.offset = AlignUp(offset);
    model->mutable_buffers()->GetMutableObject(buffer.id)->mutate_offset(buffer.offset);
    offset = buffer.offset + buffer.size;
  }
  s.size = offset;
  return s.size;
}

void TfliteBuilder::Write(ByteSink& out) const {
  const State& s = *state_;
  CountingSink sink(out);
  sink.Write(std::as_bytes(std::span(s.builder.GetBufferPointer(), s.builder.GetSize())));
  for (const State::StreamedBuffer& buffer : s.streamed) {
    sink.WriteZeros(buffer.offset - sink.count());
    buffer.produce(sink);
    if (sink.count() - buffer.offset != buffer.size) {
      throw Error(ErrorCode::kInternal,
                  fmt::format("Buffer {} was announced with {} bytes, but {} were written.",
                              buffer.id, buffer.size, sink.count() - buffer.offset));
    }
  }
}

}  // namespace litertlm
