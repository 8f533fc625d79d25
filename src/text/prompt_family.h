// How families of models are prompted, for files that do not say it themselves.
#ifndef LITERTLM_TEXT_PROMPT_FAMILY_H_
#define LITERTLM_TEXT_PROMPT_FAMILY_H_

#include <string_view>

#include "format/llm_metadata.h"
#include "text/tokenizer.h"

namespace litertlm {

/// What stands around messages: ChatML, Gemma's turns, Llama 3's headers.
struct PromptFamily {
  struct Role {
    std::string_view prefix;
    std::string_view suffix;
  };
  std::string_view marker;  ///< The token by which its tokenizers are known.
  Role user;
  Role model;
  Role system;
  bool has_system;
};

/// By the model type; null for one that does not tell.
const PromptFamily* PromptFamilyOf(const proto::LlmModelType& type);

/// Metadata for a model that comes without any, from the names of the tokenizer's control tokens:
/// the start token, those that end a reply, and the family's templates where the family is known.
proto::LlmMetadata MetadataFromTokenizer(const Tokenizer& tokenizer);

}  // namespace litertlm

#endif  // LITERTLM_TEXT_PROMPT_FAMILY_H_
