#include "text/prompt_family.h"

#include <algorithm>
#include <iterator>

namespace litertlm {
namespace {

constexpr PromptFamily kFamilies[] = {
    {.marker = "<|im_start|>",
     .user = {"<|im_start|>user\n", "<|im_end|>\n"},
     .model = {"<|im_start|>assistant\n", "<|im_end|>\n"},
     .system = {"<|im_start|>system\n", "<|im_end|>\n"},
     .has_system = true},
    {.marker = "<start_of_turn>",
     .user = {"<start_of_turn>user\n", "<end_of_turn>\n"},
     .model = {"<start_of_turn>model\n", "<end_of_turn>\n"},
     .system = {},
     .has_system = false},
    {.marker = "<|start_header_id|>",
     .user = {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"},
     .model = {"<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"},
     .system = {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"},
     .has_system = true},
};
constexpr const PromptFamily& kChatMl = kFamilies[0];
constexpr const PromptFamily& kGemma = kFamilies[1];

/// At most one of these is in front of every prompt: the first that the tokenizer has. Tokenizers
/// of Qwen and SmolLM have none of them, and their models want none.
constexpr std::string_view kStartTokens[] = {"<bos>", "<|begin_of_text|>", "<s>"};

/// Each that the tokenizer has ends a reply.
constexpr std::string_view kStopTokens[] = {"<end_of_turn>", "<|im_end|>",      "<|eot_id|>",
                                            "<|eom_id|>",    "<|end|>",         "<eos>",
                                            "<|endoftext|>", "<|end_of_text|>", "</s>"};

void SetAffixes(const PromptFamily::Role& role, proto::PromptAffixes& affixes) {
  affixes.set_prefix(std::string(role.prefix));
  affixes.set_suffix(std::string(role.suffix));
}

}  // namespace

const PromptFamily* PromptFamilyOf(const proto::LlmModelType& type) {
  switch (type.model_type_case()) {
    case proto::LlmModelType::kQwen3:
    case proto::LlmModelType::kQwen2P5:
      return &kChatMl;
    case proto::LlmModelType::kGemma3:
    case proto::LlmModelType::kGemma3N:
      return &kGemma;
    default:
      return nullptr;
  }
}

proto::LlmMetadata MetadataFromTokenizer(const Tokenizer& tokenizer) {
  proto::LlmMetadata metadata;
  metadata.mutable_llm_model_type()->mutable_generic_model();
  const auto knows = [&](std::string_view token) { return tokenizer.Find(token).has_value(); };
  if (const auto* start = std::ranges::find_if(kStartTokens, knows);
      start != std::end(kStartTokens)) {
    metadata.mutable_start_token()->mutable_token_ids()->add_ids(*tokenizer.Find(*start));
  }
  for (const std::string_view stop : kStopTokens) {
    if (const auto id = tokenizer.Find(stop)) {
      metadata.add_stop_tokens()->mutable_token_ids()->add_ids(*id);
    }
  }
  const auto* family =
      std::ranges::find_if(kFamilies, knows, [](const PromptFamily& f) { return f.marker; });
  if (family != std::end(kFamilies)) {
    proto::PromptTemplates& templates = *metadata.mutable_prompt_templates();
    SetAffixes(family->user, *templates.mutable_user());
    SetAffixes(family->model, *templates.mutable_model());
    if (family->has_system) SetAffixes(family->system, *templates.mutable_system());
  }
  return metadata;
}

}  // namespace litertlm
