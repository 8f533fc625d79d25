#include "format/tflite.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "format/tflite_checker.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr size_t kAlignment = 16;  // The most a TFLite FlatBuffer asks for.
// Weights behind the FlatBuffer may make a model larger than a FlatBuffer can be: only the part
// that can belong to it is verified.
constexpr uint64_t kMaxFlatBuffer = FLATBUFFERS_MAX_BUFFER_SIZE - 1;
constexpr char kHint[] = "The file is damaged or incomplete; fetch or convert it again.";

bool IsAligned(Bytes bytes) { return reinterpret_cast<uintptr_t>(bytes.data()) % kAlignment == 0; }

const tflite::Model* Verify(Bytes bytes, const std::string& name) {
  constexpr flatbuffers::uoffset_t kMaxDepth = 64;
  const size_t size = std::min<uint64_t>(bytes.size(), kMaxFlatBuffer);
  // A table takes at least four bytes, so the file's size bounds the work.
  const auto max_tables = static_cast<flatbuffers::uoffset_t>(size / 4 + 1);
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  flatbuffers::Verifier verifier(data, size, kMaxDepth, max_tables);
  if (!tflite::VerifyModelBuffer(verifier)) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: the TFLite model is not a valid FlatBuffer.", name), kHint);
  }
  return tflite::GetModel(data);
}

std::vector<Bytes> FindBuffers(const tflite::Model& model, Bytes bytes, const std::string& name) {
  std::vector<Bytes> result;
  if (model.buffers() == nullptr) return result;
  result.reserve(model.buffers()->size());
  for (const tflite::Buffer* buffer : *model.buffers()) {
    // Offsets 0 and 1 mean that the data, if any, is in the buffer itself.
    if (buffer->offset() > 1) {
      result.push_back(Subrange(bytes, buffer->offset(), buffer->size(),
                                fmt::format("{}: buffer {}", name, result.size())));
    } else if (buffer->data() != nullptr) {
      result.push_back(std::as_bytes(std::span(buffer->data()->data(), buffer->data()->size())));
    } else {
      result.emplace_back();
    }
  }
  return result;
}

// The external buffers that lie in the TFLiteWeights section; other groups name files elsewhere.
std::unordered_map<uint32_t, Bytes> FindExternalBuffers(const tflite::Model& model, Bytes weights,
                                                        const std::string& name) {
  constexpr std::string_view kGroup = "tflite_weights";
  std::unordered_map<uint32_t, Bytes> result;
  if (model.external_buffers() == nullptr || model.external_buffer_groups() == nullptr) {
    return result;
  }
  const auto& groups = *model.external_buffer_groups();
  for (const tflite::ExternalBuffer* buffer : *model.external_buffers()) {
    if (buffer->group() >= groups.size()) continue;
    const flatbuffers::String* group = groups.Get(buffer->group())->name();
    if (group == nullptr || group->string_view() != kGroup) continue;
    if (weights.empty()) {
      throw Error(
          ErrorCode::kBadInput,
          fmt::format("{}: weights lie in a TFLiteWeights section, which is missing.", name),
          kHint);
    }
    const std::string what =
        fmt::format("{}: external buffer {} in the TFLiteWeights section", name, buffer->id());
    result.emplace(buffer->id(), Subrange(weights, buffer->offset(), buffer->length(), what));
  }
  return result;
}

}  // namespace

TfliteModel TfliteModel::Parse(Bytes bytes, Bytes weights, std::string name) {
  TfliteModel model;
  model.name_ = std::move(name);
  if (!IsAligned(bytes)) {
    // Containers by other writers may put a model anywhere, and its numbers are read in place.
    auto copy = std::make_shared<std::vector<uint64_t>>(bytes.size() / sizeof(uint64_t) + 1);
    std::memcpy(copy->data(), bytes.data(), bytes.size());
    bytes = std::as_bytes(std::span(*copy)).first(bytes.size());
    model.copy_ = std::move(copy);
  }
  model.model_ = Verify(bytes, model.name_);
  model.buffers_ = FindBuffers(*model.model_, bytes, model.name_);
  model.external_ = FindExternalBuffers(*model.model_, weights, model.name_);
  TfliteChecker(*model.model_, model.name_, model.buffers_, model.external_).CheckAll();
  return model;
}

Bytes TfliteModel::Data(const tflite::Tensor& tensor) const {
  if (tensor.external_buffer() != 0) return external_.at(tensor.external_buffer());
  return buffers_.at(tensor.buffer());
}

int32_t BuiltinCode(const tflite::OperatorCode& code) {
  return std::max(static_cast<int32_t>(code.builtin_code()),
                  static_cast<int32_t>(code.deprecated_builtin_code()));
}

}  // namespace litertlm
