#include "format/tflite.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "litertlm/error.h"

namespace litertlm {
namespace {

// Names the model and the place in it, for messages.
class Checker {
 public:
  Checker(const tflite::Model& model, Bytes bytes, Bytes weights, const std::string& name)
      : model_(model), bytes_(bytes), weights_(weights), name_(name) {}

  void CheckAll() const;
  Bytes BufferBytes(uint32_t index, const std::string& what) const;
  Bytes ExternalBytes(uint32_t id, const std::string& what) const;
  Bytes TensorBytes(const tflite::Tensor& tensor, const std::string& what) const;

 private:
  [[noreturn]] void Throw(std::string_view what) const {
    throw Error(ErrorCode::kBadInput, fmt::format("{}: {}.", name_, what),
                "The file is damaged, or its writer made a mistake; fetch or convert it again.");
  }
  void CheckSubgraph(const tflite::SubGraph& subgraph, uint32_t index) const;
  void CheckTensor(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor,
                   const std::string& what) const;
  void CheckQuantization(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor,
                         const std::string& what) const;
  void CheckBlockwise(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor,
                      const tflite::BlockwiseQuantization& blocks, const std::string& what) const;
  void CheckOperator(const tflite::SubGraph& subgraph, const tflite::Operator& op,
                     const std::string& what) const;
  void CheckSignature(const tflite::SignatureDef& signature) const;
  uint64_t Elements(const tflite::Tensor& tensor, const std::string& what) const;

  const tflite::Model& model_;
  const Bytes bytes_;
  const Bytes weights_;
  const std::string& name_;
};

template <typename T>
uint32_t SizeOf(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

void Checker::CheckAll() const {
  constexpr uint32_t kSchemaVersion = 3;
  if (model_.version() != kSchemaVersion) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: TFLite schema version {} is not supported; version {} is.", name_,
                            model_.version(), kSchemaVersion));
  }
  if (SizeOf(model_.subgraphs()) == 0) Throw("it has no subgraphs");
  if (SizeOf(model_.buffers()) == 0) Throw("it has no buffers");
  for (uint32_t i = 0; i < SizeOf(model_.subgraphs()); ++i) {
    CheckSubgraph(*model_.subgraphs()->Get(i), i);
  }
  if (model_.signature_defs() != nullptr) {
    for (const tflite::SignatureDef* signature : *model_.signature_defs()) {
      CheckSignature(*signature);
    }
  }
}

Bytes Checker::BufferBytes(uint32_t index, const std::string& what) const {
  if (index >= SizeOf(model_.buffers())) {
    Throw(fmt::format("{} names buffer {} of {}", what, index, SizeOf(model_.buffers())));
  }
  const tflite::Buffer& buffer = *model_.buffers()->Get(index);
  // Offsets 0 and 1 mean "the data is here".
  if (buffer.offset() > 1) {
    return Subrange(bytes_, buffer.offset(), buffer.size(), fmt::format("{}: {}", name_, what));
  }
  if (buffer.data() == nullptr) return {};
  return std::as_bytes(std::span(buffer.data()->data(), buffer.data()->size()));
}

Bytes Checker::ExternalBytes(uint32_t id, const std::string& what) const {
  constexpr std::string_view kGroup = "tflite_weights";
  if (model_.external_buffers() != nullptr) {
    for (const tflite::ExternalBuffer* buffer : *model_.external_buffers()) {
      if (buffer->id() != id) continue;
      const uint32_t group = buffer->group();
      if (group >= SizeOf(model_.external_buffer_groups()) ||
          model_.external_buffer_groups()->Get(group)->name() == nullptr ||
          model_.external_buffer_groups()->Get(group)->name()->string_view() != kGroup) {
        Throw(fmt::format("{} lies in an external buffer whose group is not \"{}\"", what, kGroup));
      }
      if (weights_.empty()) {
        Throw(fmt::format("{} lies in a TFLiteWeights section, which is missing", what));
      }
      return Subrange(weights_, buffer->offset(), buffer->length(),
                      fmt::format("{}: {} in the TFLiteWeights section", name_, what));
    }
  }
  Throw(fmt::format("{} names external buffer {}, which is not listed", what, id));
}

Bytes Checker::TensorBytes(const tflite::Tensor& tensor, const std::string& what) const {
  if (tensor.external_buffer() != 0) return ExternalBytes(tensor.external_buffer(), what);
  return BufferBytes(tensor.buffer(), what);
}

uint64_t Checker::Elements(const tflite::Tensor& tensor, const std::string& what) const {
  constexpr uint64_t kMost = uint64_t{1} << 48;  // Far above any tensor, far below overflow.
  uint64_t count = 1;
  for (uint32_t i = 0; i < SizeOf(tensor.shape()); ++i) {
    const int32_t dim = tensor.shape()->Get(i);
    if (dim < 0) Throw(fmt::format("{} has the dimension {}", what, dim));
    if (dim > 0 && count > kMost / static_cast<uint64_t>(dim)) {
      Throw(fmt::format("{} has too many elements", what));
    }
    count *= static_cast<uint64_t>(dim);
  }
  return count;
}

void Checker::CheckSubgraph(const tflite::SubGraph& subgraph, uint32_t index) const {
  const std::string where = fmt::format("subgraph {}", index);
  const uint32_t tensors = SizeOf(subgraph.tensors());
  for (uint32_t i = 0; i < tensors; ++i) {
    const tflite::Tensor& tensor = *subgraph.tensors()->Get(i);
    const std::string label =
        tensor.name() != nullptr ? tensor.name()->str() : std::string("unnamed");
    CheckTensor(subgraph, tensor, fmt::format("tensor {} ({}) of {}", i, label, where));
  }
  for (const auto* list : {subgraph.inputs(), subgraph.outputs()}) {
    for (uint32_t i = 0; i < SizeOf(list); ++i) {
      if (list->Get(i) < 0 || static_cast<uint32_t>(list->Get(i)) >= tensors) {
        Throw(fmt::format("{} has input or output {} of {} tensors", where, list->Get(i), tensors));
      }
    }
  }
  for (uint32_t i = 0; i < SizeOf(subgraph.operators()); ++i) {
    CheckOperator(subgraph, *subgraph.operators()->Get(i),
                  fmt::format("operator {} of {}", i, where));
  }
}

void Checker::CheckTensor(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor,
                          const std::string& what) const {
  constexpr uint32_t kMaxRank = 8;
  if (SizeOf(tensor.shape()) > kMaxRank) {
    Throw(fmt::format("{} has rank {}; at most {} is expected", what, SizeOf(tensor.shape()),
                      kMaxRank));
  }
  const std::optional<DType> dtype = DTypeFromTflite(static_cast<int>(tensor.type()));
  if (!dtype) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: {} has element type {}, which is not supported.", name_, what,
                            static_cast<int>(tensor.type())));
  }
  if (SizeOf(tensor.shape_signature()) > 0 &&
      tensor.shape_signature()->size() != SizeOf(tensor.shape())) {
    Throw(fmt::format("{} has a shape signature of another rank", what));
  }
  const uint64_t elements = Elements(tensor, what);
  const Bytes data = TensorBytes(tensor, what);
  if (!data.empty() && data.size() != BytesFor(*dtype, elements)) {
    Throw(fmt::format("{} has {} bytes, its shape needs {}", what, data.size(),
                      BytesFor(*dtype, elements)));
  }
  if (tensor.quantization() != nullptr) CheckQuantization(subgraph, tensor, what);
}

void Checker::CheckQuantization(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor,
                                const std::string& what) const {
  const tflite::QuantizationParameters& q = *tensor.quantization();
  if (const auto* blocks = q.details_as_BlockwiseQuantization()) {
    CheckBlockwise(subgraph, tensor, *blocks, what);
    return;
  }
  const uint32_t scales = SizeOf(q.scale());
  if (scales == 0) return;
  const uint32_t rank = SizeOf(tensor.shape());
  if (scales > 1) {
    const int32_t dimension = q.quantized_dimension();
    if (dimension < 0 || static_cast<uint32_t>(dimension) >= rank ||
        static_cast<uint32_t>(tensor.shape()->Get(dimension)) != scales) {
      Throw(fmt::format("{} has {} scales, which do not fit its dimension {}", what, scales,
                        dimension));
    }
  }
  if (SizeOf(q.zero_point()) > 1 && q.zero_point()->size() != scales) {
    Throw(fmt::format("{} has {} scales but {} zero points", what, scales, q.zero_point()->size()));
  }
  const bool valid = std::all_of(q.scale()->begin(), q.scale()->end(),
                                 [](float s) { return std::isfinite(s) && s >= 0; });
  if (!valid) Throw(fmt::format("{} has a scale that is negative or not finite", what));
}

void Checker::CheckBlockwise(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor,
                             const tflite::BlockwiseQuantization& blocks,
                             const std::string& what) const {
  if (blocks.scales() < 0 || static_cast<uint32_t>(blocks.scales()) >= SizeOf(subgraph.tensors())) {
    Throw(fmt::format("{} names tensor {} for its block scales", what, blocks.scales()));
  }
  const uint64_t elements = Elements(tensor, what);
  const uint32_t rank = SizeOf(tensor.shape());
  const int32_t columns = rank == 0 ? 0 : tensor.shape()->Get(rank - 1);
  if (blocks.block_size() <= 0 || columns % blocks.block_size() != 0) {
    Throw(fmt::format("{} has blocks of {} in rows of {}", what, blocks.block_size(), columns));
  }
  const tflite::Tensor& scales = *subgraph.tensors()->Get(static_cast<uint32_t>(blocks.scales()));
  const uint64_t needed = elements / static_cast<uint64_t>(blocks.block_size());
  if (scales.type() != tflite::TensorType::FLOAT16 ||
      TensorBytes(scales, "its block scales").size() != BytesFor(DType::kF16, needed)) {
    Throw(fmt::format("{} needs {} constant f16 block scales", what, needed));
  }
}

void Checker::CheckOperator(const tflite::SubGraph& subgraph, const tflite::Operator& op,
                            const std::string& what) const {
  const auto tensors = static_cast<int64_t>(SizeOf(subgraph.tensors()));
  if (op.opcode_index() >= SizeOf(model_.operator_codes())) {
    Throw(fmt::format("{} has operator code {} of {}", what, op.opcode_index(),
                      SizeOf(model_.operator_codes())));
  }
  for (uint32_t i = 0; i < SizeOf(op.inputs()); ++i) {
    if (op.inputs()->Get(i) < -1 || op.inputs()->Get(i) >= tensors) {
      Throw(fmt::format("{} reads tensor {} of {}", what, op.inputs()->Get(i), tensors));
    }
  }
  for (uint32_t i = 0; i < SizeOf(op.outputs()); ++i) {
    if (op.outputs()->Get(i) < 0 || op.outputs()->Get(i) >= tensors) {
      Throw(fmt::format("{} writes tensor {} of {}", what, op.outputs()->Get(i), tensors));
    }
  }
  if (const auto* composite = op.builtin_options_2_as_StableHLOCompositeOptions()) {
    const int32_t body = composite->decomposition_subgraph_index();
    if (body < 0 || static_cast<uint32_t>(body) >= SizeOf(model_.subgraphs())) {
      Throw(fmt::format("{} has subgraph {} as its decomposition", what, body));
    }
  }
}

void Checker::CheckSignature(const tflite::SignatureDef& signature) const {
  if (signature.signature_key() == nullptr) Throw("a signature has no key");
  const std::string key = signature.signature_key()->str();
  if (signature.subgraph_index() >= SizeOf(model_.subgraphs())) {
    Throw(fmt::format("signature \"{}\" names subgraph {} of {}", key, signature.subgraph_index(),
                      SizeOf(model_.subgraphs())));
  }
  const uint32_t tensors = SizeOf(model_.subgraphs()->Get(signature.subgraph_index())->tensors());
  for (const auto* map : {signature.inputs(), signature.outputs()}) {
    if (map == nullptr) continue;
    for (const tflite::TensorMap* entry : *map) {
      if (entry->name() == nullptr || entry->tensor_index() >= tensors) {
        Throw(fmt::format("signature \"{}\" names tensor {} of {}", key, entry->tensor_index(),
                          tensors));
      }
    }
  }
}

}  // namespace

TfliteModel TfliteModel::Parse(Bytes bytes, Bytes weights, std::string name) {
  // What lies behind the FlatBuffer may be larger than a FlatBuffer can be: only the part that can
  // belong to it is verified.
  const size_t flatbuffer_size = std::min<size_t>(bytes.size(), FLATBUFFERS_MAX_BUFFER_SIZE - 1);
  constexpr flatbuffers::uoffset_t kMaxDepth = 64;
  // A table takes at least four bytes, so the file's size bounds the work.
  const auto max_tables = static_cast<flatbuffers::uoffset_t>(flatbuffer_size / 4 + 1);
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  flatbuffers::Verifier verifier(data, flatbuffer_size, kMaxDepth, max_tables);
  if (!tflite::VerifyModelBuffer(verifier)) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: the TFLite model is not a valid FlatBuffer.", name),
                "The file is damaged or incomplete; fetch or convert it again.");
  }
  TfliteModel model;
  model.bytes_ = bytes;
  model.weights_ = weights;
  model.name_ = std::move(name);
  model.model_ = tflite::GetModel(data);
  Checker(*model.model_, bytes, weights, model.name_).CheckAll();
  return model;
}

Bytes TfliteModel::Data(const tflite::Tensor& tensor) const {
  return Checker(*model_, bytes_, weights_, name_).TensorBytes(tensor, "a tensor");
}

int32_t BuiltinCode(const tflite::OperatorCode& code) {
  return std::max(static_cast<int32_t>(code.builtin_code()),
                  static_cast<int32_t>(code.deprecated_builtin_code()));
}

}  // namespace litertlm
