#include "format/tflite_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/dtype.h"

namespace litertlm {
namespace {

// More than any operator of a language model has; bounds the work when lists are shared.
constexpr uint32_t kMaxOperands = 4096;
constexpr uint32_t kMaxRank = 8;

template <typename T>
uint32_t SizeOf(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

}  // namespace

std::string TflitePlace::Words() const {
  constexpr size_t kMaxName = 200;
  const std::string_view label = name == nullptr ? std::string_view() : name->string_view();
  return fmt::format("{} {}{} of subgraph {}", kind, index,
                     label.empty() ? "" : fmt::format(" ({})", label.substr(0, kMaxName)),
                     subgraph);
}

void TfliteChecker::Throw(const std::string& what, ErrorCode code) const {
  throw Error(
      code, fmt::format("{}: {}.", name_, what),
      code == ErrorCode::kUnsupported
          ? ""
          : "The file is damaged, or its writer made a mistake; fetch or convert it again.");
}

void TfliteChecker::CheckAll() {
  constexpr uint32_t kSchemaVersion = 3;
  if (model_.version() != kSchemaVersion) {
    Throw(fmt::format("TFLite schema version {} is not supported; version {} is", model_.version(),
                      kSchemaVersion),
          ErrorCode::kUnsupported);
  }
  if (SizeOf(model_.subgraphs()) == 0) Throw("it has no subgraphs");
  for (uint32_t i = 0; i < SizeOf(model_.subgraphs()); ++i) {
    CheckSubgraph(*model_.subgraphs()->Get(i), i);
  }
  for (uint32_t i = 0; i < SizeOf(model_.signature_defs()); ++i) {
    CheckSignature(*model_.signature_defs()->Get(i));
  }
}

Bytes TfliteChecker::Data(const tflite::Tensor& tensor, const TflitePlace& place) const {
  if (const uint32_t id = tensor.external_buffer(); id != 0) {
    const auto it = external_.find(id);
    if (it == external_.end()) {
      Throw(fmt::format("{} names external buffer {}, which is not listed", place.Words(), id));
    }
    return it->second;
  }
  if (tensor.buffer() >= buffers_.size()) {
    Throw(fmt::format("{} names buffer {} of {}", place.Words(), tensor.buffer(), buffers_.size()));
  }
  return buffers_[tensor.buffer()];
}

uint64_t TfliteChecker::Elements(const tflite::Tensor& tensor, const TflitePlace& place) const {
  constexpr uint64_t kMost = uint64_t{1} << 48;  // Far above any tensor, far below overflow.
  uint64_t count = 1;
  for (uint32_t i = 0; i < SizeOf(tensor.shape()); ++i) {
    const int32_t extent = tensor.shape()->Get(i);
    if (extent < 0) Throw(fmt::format("{} has the dimension {}", place.Words(), extent));
    if (extent > 0 && count > kMost / static_cast<uint64_t>(extent)) {
      Throw(fmt::format("{} has too many elements", place.Words()));
    }
    count *= static_cast<uint64_t>(extent);
  }
  return count;
}

void TfliteChecker::CheckSubgraph(const tflite::SubGraph& subgraph, uint32_t index) {
  const uint32_t tensors = SizeOf(subgraph.tensors());
  for (uint32_t i = 0; i < tensors; ++i) {
    const tflite::Tensor& tensor = *subgraph.tensors()->Get(i);
    CheckTensor(subgraph, tensor, {"tensor", i, index, tensor.name()});
  }
  for (const auto* list : {subgraph.inputs(), subgraph.outputs()}) {
    if (SizeOf(list) > kMaxOperands) {
      Throw(fmt::format("subgraph {} has {} inputs or outputs", index, list->size()));
    }
    for (uint32_t i = 0; i < SizeOf(list); ++i) {
      if (list->Get(i) < 0 || static_cast<uint32_t>(list->Get(i)) >= tensors) {
        Throw(fmt::format("subgraph {} has tensor {} of {} as input or output", index, list->Get(i),
                          tensors));
      }
    }
  }
  for (uint32_t i = 0; i < SizeOf(subgraph.operators()); ++i) {
    CheckOperator(subgraph, *subgraph.operators()->Get(i), {"operator", i, index});
  }
}

void TfliteChecker::CheckTensor(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor,
                                const TflitePlace& place) {
  const uint32_t rank = SizeOf(tensor.shape());
  if (rank > kMaxRank) {
    Throw(fmt::format("{} has rank {}; at most {} is supported", place.Words(), rank, kMaxRank),
          ErrorCode::kUnsupported);
  }
  if (const uint32_t size = SizeOf(tensor.shape_signature()); size > 0 && size != rank) {
    Throw(fmt::format("{} has rank {}, but its shape signature has {}", place.Words(), rank, size));
  }
  CheckData(tensor, place);
  if (const tflite::QuantizationParameters* quantization = tensor.quantization()) {
    if (const auto* blocks = quantization->details_as_BlockwiseQuantization()) {
      CheckBlocks(subgraph, tensor, *blocks, place);
    } else {
      CheckScales(tensor, place);
    }
  }
}

void TfliteChecker::CheckData(const tflite::Tensor& tensor, const TflitePlace& place) const {
  const std::optional<DType> dtype = DTypeFromTflite(static_cast<int>(tensor.type()));
  if (!dtype) {
    Throw(fmt::format("{} has element type {}, which is not supported", place.Words(),
                      static_cast<int>(tensor.type())),
          ErrorCode::kUnsupported);
  }
  const uint64_t needed = BytesFor(*dtype, Elements(tensor, place));
  const Bytes data = Data(tensor, place);
  if (!data.empty() && data.size() != needed) {
    Throw(
        fmt::format("{} has {} bytes, but its shape needs {}", place.Words(), data.size(), needed));
  }
}

void TfliteChecker::CheckScales(const tflite::Tensor& tensor, const TflitePlace& place) {
  const tflite::QuantizationParameters& q = *tensor.quantization();
  const uint32_t scales = SizeOf(q.scale());
  const uint32_t zero_points = SizeOf(q.zero_point());
  if (scales == 0) return;
  if (zero_points > 1 && zero_points != scales) {
    Throw(fmt::format("{} has {} scales, but {} zero points", place.Words(), scales, zero_points));
  }
  const int32_t dimension = q.quantized_dimension();
  const bool dimension_exists =
      dimension >= 0 && static_cast<uint32_t>(dimension) < SizeOf(tensor.shape());
  if (scales > 1 && (!dimension_exists || static_cast<uint32_t>(tensor.shape()->Get(
                                              static_cast<uint32_t>(dimension))) != scales)) {
    Throw(fmt::format("{} has {} scales, which do not fit its dimension {}", place.Words(), scales,
                      dimension));
  }
  if (!checked_scales_.insert(q.scale()).second) return;
  if (!std::all_of(q.scale()->begin(), q.scale()->end(),
                   [](float scale) { return std::isfinite(scale) && scale >= 0; })) {
    Throw(fmt::format("{} has a scale that is negative or not finite", place.Words()));
  }
}

void TfliteChecker::CheckBlocks(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor,
                                const tflite::BlockwiseQuantization& blocks,
                                const TflitePlace& place) const {
  const uint32_t rank = SizeOf(tensor.shape());
  const int32_t columns = rank == 0 ? 0 : tensor.shape()->Get(rank - 1);
  if (blocks.block_size() <= 0 || columns % blocks.block_size() != 0) {
    Throw(fmt::format("{} has blocks of {} in rows of {}", place.Words(), blocks.block_size(),
                      columns));
  }
  // 0 is what a writer that knows no zero points leaves in the field.
  if (blocks.zero_points() > 0) {
    Throw(fmt::format("{} has blocks with zero points, which are not supported", place.Words()),
          ErrorCode::kUnsupported);
  }
  if (blocks.scales() < 0 || static_cast<uint32_t>(blocks.scales()) >= SizeOf(subgraph.tensors())) {
    Throw(fmt::format("{} names tensor {} of {} for its block scales", place.Words(),
                      blocks.scales(), SizeOf(subgraph.tensors())));
  }
  const auto index = static_cast<uint32_t>(blocks.scales());
  const tflite::Tensor& scales = *subgraph.tensors()->Get(index);
  const uint64_t needed = Elements(tensor, place) / static_cast<uint64_t>(blocks.block_size());
  const Bytes data = Data(scales, {"tensor", index, place.subgraph, scales.name()});
  if (scales.type() != tflite::TensorType::FLOAT16 ||
      data.size() != BytesFor(DType::kF16, needed)) {
    Throw(fmt::format("{} needs {} block scales, constant and f16", place.Words(), needed));
  }
}

void TfliteChecker::CheckOperator(const tflite::SubGraph& subgraph, const tflite::Operator& op,
                                  const TflitePlace& place) const {
  if (op.opcode_index() >= SizeOf(model_.operator_codes())) {
    Throw(fmt::format("{} has operator code {} of {}", place.Words(), op.opcode_index(),
                      SizeOf(model_.operator_codes())));
  }
  const auto tensors = static_cast<int64_t>(SizeOf(subgraph.tensors()));
  const auto check = [&](const flatbuffers::Vector<int32_t>* list, int32_t least) {
    if (SizeOf(list) > kMaxOperands) {
      Throw(fmt::format("{} has {} inputs or outputs", place.Words(), list->size()));
    }
    for (uint32_t i = 0; i < SizeOf(list); ++i) {
      if (list->Get(i) < least || list->Get(i) >= tensors) {
        Throw(fmt::format("{} names tensor {} of {}", place.Words(), list->Get(i), tensors));
      }
    }
  };
  check(op.inputs(), -1);
  check(op.outputs(), 0);
  if (const auto* composite = op.builtin_options_2_as_StableHLOCompositeOptions()) {
    const int32_t body = composite->decomposition_subgraph_index();
    if (body < 0 || static_cast<uint32_t>(body) >= SizeOf(model_.subgraphs())) {
      Throw(fmt::format("{} has subgraph {} of {} as its decomposition", place.Words(), body,
                        SizeOf(model_.subgraphs())));
    }
  }
}

void TfliteChecker::CheckSignature(const tflite::SignatureDef& signature) const {
  if (signature.signature_key() == nullptr) Throw("a signature has no key");
  const std::string_view key = signature.signature_key()->string_view();
  if (signature.subgraph_index() >= SizeOf(model_.subgraphs())) {
    Throw(fmt::format("signature \"{}\" names subgraph {} of {}", key, signature.subgraph_index(),
                      SizeOf(model_.subgraphs())));
  }
  const uint32_t tensors = SizeOf(model_.subgraphs()->Get(signature.subgraph_index())->tensors());
  for (const auto* map : {signature.inputs(), signature.outputs()}) {
    for (uint32_t i = 0; i < SizeOf(map); ++i) {
      const tflite::TensorMap& entry = *map->Get(i);
      if (entry.name() == nullptr)
        Throw(fmt::format("signature \"{}\" has an unnamed tensor", key));
      if (entry.tensor_index() >= tensors) {
        Throw(fmt::format("signature \"{}\" names tensor {} of {}", key, entry.tensor_index(),
                          tensors));
      }
    }
  }
}

}  // namespace litertlm
