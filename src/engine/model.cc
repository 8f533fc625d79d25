#include "litertlm/model.h"

#include <utility>

#include "engine/generator.h"
#include "engine/model_state.h"

namespace litertlm {

std::string_view StopReasonName(StopReason reason) noexcept {
  switch (reason) {
    case StopReason::kStop:
      return "stop";
    case StopReason::kLength:
      return "length";
    case StopReason::kContext:
      return "context";
    case StopReason::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

Model Model::Open(const std::filesystem::path& file, const ModelOptions& options) {
  return Model(std::make_shared<ModelState>(file, options));
}

Model::Model(std::shared_ptr<ModelState> state) : state_(std::move(state)) {}

int Model::context_length() const { return state_->context_length(); }

int Model::vocab_size() const { return state_->language_model().vocab_size(); }

bool Model::supports_thinking() const { return state_->chat_template().supports_thinking(); }

SamplerOptions Model::default_sampler() const { return ReadSamplerOptions(state_->metadata()); }

std::vector<int32_t> Model::Tokenize(std::string_view text, bool control) const {
  return state_->tokenizer().Encode(text, control ? ControlTokens::kParse : ControlTokens::kAsText);
}

std::string Model::Detokenize(std::span<const int32_t> ids) const {
  return state_->tokenizer().Decode({ids.begin(), ids.end()});
}

std::vector<int32_t> Model::start_tokens() const { return state_->settings().start; }

Completion Model::Generate(std::span<const int32_t> prompt, const GenerationOptions& options,
                           const ChunkCallback& on_chunk) const {
  Session session = state_->NewSession();
  return litertlm::Generate(state_->generation_context(/*tell_thoughts=*/false), session, prompt,
                            options, on_chunk);
}

void Model::Logits(std::span<const int32_t> ids,
                   const std::function<void(std::span<const float>)>& on_row) const {
  Session session = state_->NewSession();
  std::vector<float> logits(static_cast<size_t>(vocab_size()));
  // All at once first: whether they fit must be known before the first row.
  session.Append(ids);
  session.Truncate(0);
  for (const int32_t& id : ids) {
    session.Append({&id, 1});
    session.ComputeLogits(logits, {}, nullptr);
    on_row(logits);
  }
}

}  // namespace litertlm
