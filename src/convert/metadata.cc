#include "convert/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "litertlm/error.h"

namespace litertlm {
namespace {

void SetId(proto::TokenUnion& token, TokenId id) {
  token.mutable_token_ids()->clear_ids();
  token.mutable_token_ids()->add_ids(id);
}

void SetStartToken(const CheckpointConfigs& configs, const Tokenizer& tokenizer,
                   proto::LlmMetadata& metadata) {
  if (!metadata.has_start_token()) return;
  const std::string name = metadata.start_token().token_str();
  const auto id = tokenizer.Find(name);
  if (!configs.tokenizer.Bool("add_bos_token", true)) {
    metadata.clear_start_token();
  } else if (id) {
    SetId(*metadata.mutable_start_token(), *id);
  } else {
    throw Error(ErrorCode::kBadInput, fmt::format("{}: the tokenizer has no start token {}.",
                                                  configs.model.where(), name));
  }
}

void SetStopTokens(const CheckpointConfigs& configs, const Tokenizer& tokenizer, int vocabulary,
                   proto::LlmMetadata& metadata) {
  std::vector<TokenId> stops;
  const auto add = [&](TokenId id) {
    if (std::ranges::find(stops, id) == stops.end()) stops.push_back(id);
  };
  for (const proto::TokenUnion& token : metadata.stop_tokens()) {
    if (const auto id = tokenizer.Find(token.token_str())) add(*id);
  }
  for (const Config* config : {&configs.generation, &configs.decoder, &configs.model}) {
    for (const int64_t id : config->Ints("eos_token_id", 0, vocabulary - 1)) {
      add(static_cast<TokenId>(id));
    }
  }
  if (stops.empty()) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{} names no \"eos_token_id\", and the tokenizer has none of the "
                            "family's stop tokens.",
                            configs.model.where()),
                "Without one, no answer would ever end.");
  }
  metadata.clear_stop_tokens();
  for (const TokenId id : stops) SetId(*metadata.add_stop_tokens(), id);
}

// The type stays TOP_P, with k: LiteRT-LM knows no other on the CPU. k = 1 is greedy.
void SetSampler(const Config& generation, proto::SamplerParameters& sampler) {
  if (!generation.Bool("do_sample", true)) {
    sampler.set_k(1);
    return;
  }
  constexpr int64_t kMaxK = std::numeric_limits<int32_t>::max();
  constexpr int32_t kAllK = 1024;  // "No limit" is top_k = 0 there, but LiteRT-LM refuses it.
  const auto k = static_cast<int32_t>(generation.Int("top_k", 0, kMaxK, sampler.k()));
  sampler.set_k(k == 0 ? kAllK : k);
  sampler.set_p(static_cast<float>(generation.Number("top_p", 0, 1, sampler.p())));
  sampler.set_temperature(
      static_cast<float>(generation.Number("temperature", 0, 100, sampler.temperature())));
}

}  // namespace

proto::LlmMetadata MakeMetadata(const Family& family, const CheckpointConfigs& configs,
                                const Tokenizer& tokenizer, int vocabulary, int cache_length) {
  proto::LlmMetadata metadata = ParseLlmMetadata(family.metadata, family.name);
  SetStartToken(configs, tokenizer, metadata);
  SetStopTokens(configs, tokenizer, std::max(vocabulary, tokenizer.size()), metadata);
  if (family.sampler_from_checkpoint) {
    SetSampler(configs.generation, *metadata.mutable_sampler_params());
  }
  for (TokenId id = vocabulary; id < tokenizer.size(); ++id) {
    metadata.mutable_suppress_tokens()->add_ids(id);
  }
  metadata.set_max_num_tokens(cache_length);
  return metadata;
}

}  // namespace litertlm
