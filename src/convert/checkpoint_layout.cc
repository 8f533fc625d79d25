#include "convert/checkpoint_layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string>

#include "litertlm/error.h"

namespace litertlm {
namespace {

bool SameContent(const CheckpointTensor& a, const CheckpointTensor& b) {
  return a.dtype == b.dtype && a.shape == b.shape && std::ranges::equal(a.bytes, b.bytes);
}

}  // namespace

TensorNames FindTensorNames(const Checkpoint& checkpoint, std::string_view where) {
  TensorNames names;
  bool found = false;
  for (const std::string_view decoder :
       {"model.", "language_model.model.", "model.language_model.", ""}) {
    found = checkpoint.Find(fmt::format("{}embed_tokens.weight", decoder)) != nullptr;
    if (found) {
      names.decoder = decoder;
      break;
    }
  }
  if (!found) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("{}: the checkpoint has no tensor model.embed_tokens.weight.", where),
                "It has to hold a whole model in Hugging Face's layout.");
  }
  constexpr std::string_view kMultimodalHead = "language_model.lm_head.weight";
  if (checkpoint.Find(kMultimodalHead) != nullptr) names.head = kMultimodalHead;
  return names;
}

void ResolveHead(const Checkpoint& checkpoint, const TensorNames& names, DecoderSpec& spec) {
  const CheckpointTensor* embedding = checkpoint.Find(spec.embedding);
  const CheckpointTensor* head = checkpoint.Find(names.head);
  if (embedding == nullptr || head == nullptr) return;  // CheckTensors says what is missing.
  const bool same = SameContent(*embedding, *head);
  if (spec.head == spec.embedding && !same) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: {} differs from {}, although config.json ties them.", head->file,
                            head->name, embedding->name),
                "If the model was trained with a head of its own, set \"tie_word_embeddings\" to "
                "false in config.json.");
  }
  if (same) spec.head = spec.embedding;
}

void CheckTensors(const Checkpoint& checkpoint, const TensorNames& names, const DecoderSpec& spec,
                  std::string_view where) {
  std::set<std::string_view> used;
  ForEachTensor(spec, [&](const std::string& name, const std::vector<int64_t>& shape) {
    const CheckpointTensor* tensor = checkpoint.Find(name);
    if (tensor == nullptr) {
      throw Error(ErrorCode::kNotFound,
                  fmt::format("{}: the checkpoint has no tensor {}.", where, name),
                  "The download may be incomplete, or config.json belongs to another model.");
    }
    if (tensor->shape != shape) {
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{}: {} has the shape [{}]; by config.json it is [{}].", tensor->file,
                              name, fmt::join(tensor->shape, ", "), fmt::join(shape, ", ")));
    }
    used.insert(tensor->name);
  });
  const std::string layers = names.decoder + "layers.";
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    // Frequencies that old checkpoints store follow from the configuration.
    if (!name.starts_with(layers) || name.ends_with("rotary_emb.inv_freq")) continue;
    if (!used.contains(name)) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}: {} has no place in a {} decoder as config.json describes it.",
                              tensor.file, name, spec.family));
    }
  }
}

}  // namespace litertlm
