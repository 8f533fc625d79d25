#include "engine/prompt_settings.h"

#include <fmt/format.h>

#include "litertlm/error.h"

namespace litertlm {
namespace {

void CheckIds(const std::vector<TokenId>& ids, const Tokenizer& tokenizer, std::string_view field) {
  for (const TokenId id : ids) {
    if (id >= 0 && id < tokenizer.size()) continue;
    throw Error(ErrorCode::kBadInput,
                fmt::format("The metadata's {} names token {}, but the tokenizer has {} tokens.",
                            field, id, tokenizer.size()));
  }
}

std::vector<TokenId> TokenSequence(const proto::TokenUnion& token, const Tokenizer& tokenizer,
                                   std::string_view field) {
  std::vector<TokenId> ids;
  if (token.has_token_ids()) {
    ids.assign(token.token_ids().ids().begin(), token.token_ids().ids().end());
  } else if (const auto id = tokenizer.Find(token.token_str())) {
    ids.push_back(*id);
  } else {
    ids = tokenizer.Encode(token.token_str(), ControlTokens::kParse);
  }
  CheckIds(ids, tokenizer, field);
  return ids;
}

}  // namespace

PromptSettings ReadPromptSettings(const proto::LlmMetadata& metadata, const Tokenizer& tokenizer) {
  PromptSettings settings;
  if (metadata.has_start_token()) {
    settings.start = TokenSequence(metadata.start_token(), tokenizer, "start_token");
  }
  for (const proto::TokenUnion& stop : metadata.stop_tokens()) {
    std::vector<TokenId> sequence = TokenSequence(stop, tokenizer, "stop_tokens");
    if (!sequence.empty()) settings.stops.push_back(std::move(sequence));
  }
  settings.suppressed.assign(metadata.suppress_tokens().ids().begin(),
                             metadata.suppress_tokens().ids().end());
  CheckIds(settings.suppressed, tokenizer, "suppress_tokens");
  return settings;
}

SamplerOptions ReadSamplerOptions(const proto::LlmMetadata& metadata) {
  SamplerOptions options;
  const proto::SamplerParameters& given = metadata.sampler_params();
  if (given.type() == proto::SamplerParameters::TYPE_UNSPECIFIED ||
      given.type() == proto::SamplerParameters::GREEDY) {
    return options;
  }
  options.temperature = given.temperature();
  options.top_k = given.k();
  if (given.type() == proto::SamplerParameters::TOP_P && given.p() > 0) options.top_p = given.p();
  if (given.has_seed()) options.seed = static_cast<uint32_t>(given.seed());
  return options;
}

ThoughtMarkers ReadThoughtMarkers(const proto::LlmMetadata& metadata) {
  for (const proto::Channel& channel : metadata.channels()) {
    if (!channel.start().empty() && !channel.end().empty()) return {channel.start(), channel.end()};
  }
  return {"<think>", "</think>"};
}

}  // namespace litertlm
