// What a file's metadata says about prompts and replies, as token ids.
#ifndef LITERTLM_ENGINE_PROMPT_SETTINGS_H_
#define LITERTLM_ENGINE_PROMPT_SETTINGS_H_

#include <vector>

#include "engine/thought_splitter.h"
#include "format/llm_metadata.h"
#include "litertlm/generation.h"
#include "text/tokenizer.h"

namespace litertlm {

struct PromptSettings {
  std::vector<TokenId> start;               ///< In front of every prompt; may be empty.
  std::vector<std::vector<TokenId>> stops;  ///< Each sequence ends a reply.
  std::vector<TokenId> suppressed;          ///< Never chosen.
};

/// Tokens may be given by id or by their spelling. Throws kBadInput for an id that the tokenizer
/// does not have.
PromptSettings ReadPromptSettings(const proto::LlmMetadata& metadata, const Tokenizer& tokenizer);

/// The recommended sampling; greedy where the file recommends nothing.
SamplerOptions ReadSamplerOptions(const proto::LlmMetadata& metadata);

/// The markers of the first channel; "<think>" where the file names no channel.
ThoughtMarkers ReadThoughtMarkers(const proto::LlmMetadata& metadata);

}  // namespace litertlm

#endif  // LITERTLM_ENGINE_PROMPT_SETTINGS_H_
