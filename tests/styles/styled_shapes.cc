#include "tests/styles/styled_shapes.h"

#include <algorithm>
#include <memory>

#include "litertlm/error.h"

namespace litertlm {
namespace {

using Numbers = std::vector<int32_t>;

bool IsRows(int32_t extent) { return extent > 0 && extent % kOpenRows == 0; }
bool IsPositions(int32_t extent) { return extent == kOpenPositions; }
bool IsOpenLength(int32_t extent) { return IsRows(extent) || IsPositions(extent); }

/// Rewrites one signature's subgraph.
class ShapeOpener {
 public:
  ShapeOpener(tflite::ModelT& model, const tflite::SignatureDefT& signature)
      : model_(model), graph_(*model.subgraphs[signature.subgraph_index]) {
    for (const auto& input : signature.inputs) {
      const auto tensor = static_cast<TensorId>(input->tensor_index);
      if (input->name == "tokens") tokens_ = tensor;
      if (input->name == "kv_cache_k_0") cache_ = tensor;
    }
  }

  void Open() {
    std::vector<std::unique_ptr<tflite::OperatorT>> operators = std::move(graph_.operators);
    graph_.operators.clear();
    rows_ = LengthOf(tokens_, 1);
    positions_ = LengthOf(cache_, 2);
    for (auto& op : operators) {
      DeriveSizes(*op);
      graph_.operators.push_back(std::move(op));
    }
    for (const auto& tensor : graph_.tensors) {
      if (tensor->buffer != 0 || std::ranges::none_of(tensor->shape, IsOpenLength)) continue;
      tensor->shape_signature = tensor->shape;
      std::ranges::replace_if(tensor->shape_signature, IsOpenLength, -1);
    }
  }

 private:
  TensorId AddTensor(Numbers shape) {
    auto tensor = std::make_unique<tflite::TensorT>();
    tensor->name = "length_" + std::to_string(graph_.tensors.size());
    tensor->type = tflite::TensorType::INT32;
    tensor->shape = std::move(shape);
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }

  TensorId Constant(const Numbers& numbers, bool scalar = false) {
    auto buffer = std::make_unique<tflite::BufferT>();
    const auto* bytes = reinterpret_cast<const uint8_t*>(numbers.data());
    buffer->data.assign(bytes, bytes + numbers.size() * sizeof(int32_t));
    model_.buffers.push_back(std::move(buffer));
    const TensorId id =
        AddTensor(scalar ? Numbers() : Numbers{static_cast<int32_t>(numbers.size())});
    graph_.tensors.back()->buffer = static_cast<uint32_t>(model_.buffers.size() - 1);
    return id;
  }

  template <typename Options>
  TensorId Emit(Builtin code, std::vector<TensorId> inputs, Numbers shape, Options options) {
    const TensorId output = AddTensor(std::move(shape));
    auto entry = std::make_unique<tflite::OperatorCodeT>();
    entry->builtin_code = static_cast<int32_t>(code);
    entry->deprecated_builtin_code = static_cast<int8_t>(code);
    model_.operator_codes.push_back(std::move(entry));
    auto op = std::make_unique<tflite::OperatorT>();
    op->opcode_index = static_cast<uint32_t>(model_.operator_codes.size() - 1);
    op->inputs = std::move(inputs);
    op->outputs = {output};
    op->builtin_options.Set(std::move(options));
    graph_.operators.push_back(std::move(op));
    return output;
  }

  /// i32 [1]: an extent of an input.
  TensorId LengthOf(TensorId input, int32_t axis) {
    const auto rank =
        static_cast<int32_t>(graph_.tensors[static_cast<size_t>(input)]->shape.size());
    tflite::ShapeOptionsT options;
    options.out_type = tflite::TensorType::INT32;
    const TensorId shape = Emit(Builtin::SHAPE, {input}, {rank}, options);
    return Emit(Builtin::SLICE, {shape, Constant({axis}), Constant({1})}, {1},
                tflite::SliceOptionsT());
  }

  /// i32 [n]: `extents`, with what is open derived.
  TensorId Derive(const Numbers& extents) {
    std::vector<TensorId> parts;
    for (const int32_t extent : extents) {
      if (IsPositions(extent)) {
        parts.push_back(positions_);
      } else if (IsRows(extent)) {
        parts.push_back(Emit(Builtin::MUL, {rows_, Constant({extent / kOpenRows})}, {1},
                             tflite::MulOptionsT()));
      } else {
        parts.push_back(Constant({extent}));
      }
    }
    return Emit(Builtin::CONCATENATION, parts, {static_cast<int32_t>(extents.size())},
                tflite::ConcatenationOptionsT());
  }

  void DeriveSizes(tflite::OperatorT& op) {
    const auto code = static_cast<Builtin>(model_.operator_codes[op.opcode_index]->builtin_code);
    for (TensorId& input : op.inputs) {
      if (input >= 0) input = Positions(input);
    }
    const size_t size = code == Builtin::SLICE ? 2 : 1;
    const Numbers& shape = graph_.tensors[static_cast<size_t>(op.outputs[0])]->shape;
    const bool takes_size =
        code == Builtin::SLICE || code == Builtin::RESHAPE || code == Builtin::BROADCAST_TO;
    if (!takes_size || std::ranges::none_of(shape, IsOpenLength)) return;
    if (auto* reshape = op.builtin_options.AsReshapeOptions()) reshape->new_shape.clear();
    op.inputs[size] = Derive(Numbers(shape));
  }

  /// A table of all positions as a range; everything else as it is.
  TensorId Positions(TensorId input) {
    const tflite::TensorT& tensor = *graph_.tensors[static_cast<size_t>(input)];
    if (tensor.buffer == 0 || tensor.type != tflite::TensorType::INT32 ||
        std::ranges::none_of(tensor.shape, IsPositions)) {
      return input;
    }
    const Numbers shape = tensor.shape;
    tflite::SqueezeOptionsT squeeze;
    squeeze.squeeze_dims = {0};
    const TensorId limit = Emit(Builtin::SQUEEZE, {positions_}, {}, squeeze);
    const TensorId range = Emit(Builtin::RANGE, {Constant({0}, true), limit, Constant({1}, true)},
                                {kOpenPositions}, tflite::RangeOptionsT());
    return Emit(Builtin::RESHAPE, {range, Derive(shape)}, shape, tflite::ReshapeOptionsT());
  }

  tflite::ModelT& model_;
  tflite::SubGraphT& graph_;
  TensorId tokens_ = -1;
  TensorId cache_ = -1;
  TensorId rows_ = -1;
  TensorId positions_ = -1;
};

/// Weights from behind the FlatBuffer into it, where they stay right when it grows.
void MoveBuffersInside(const TestModel& data, tflite::ModelT& model) {
  for (const auto& buffer : model.buffers) {
    if (buffer->offset <= 1) continue;
    const Bytes bytes = data.bytes().subspan(buffer->offset, buffer->size);
    const auto* first = reinterpret_cast<const uint8_t*>(bytes.data());
    buffer->data.assign(first, first + bytes.size());
    buffer->offset = buffer->size = 0;
  }
}

}  // namespace

TestModel WithOpenShapes(const TestModel& data) {
  const std::unique_ptr<tflite::ModelT> model(tflite::GetModel(data.bytes().data())->UnPack());
  MoveBuffersInside(data, *model);
  for (const auto& signature : model->signature_defs) {
    ShapeOpener(*model, *signature).Open();
    if (signature->signature_key != "decode") signature->signature_key = "prefill";
  }
  flatbuffers::FlatBufferBuilder out;
  tflite::FinishModelBuffer(out, tflite::Model::Pack(out, model.get()));
  return TestModel(AsText(std::as_bytes(std::span(out.GetBufferPointer(), out.GetSize()))));
}

}  // namespace litertlm
