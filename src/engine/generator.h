// The loop that turns a prompt into a reply: logits, sampler, stop sequences, text.
#ifndef LITERTLM_ENGINE_GENERATOR_H_
#define LITERTLM_ENGINE_GENERATOR_H_

#include <span>

#include "engine/prompt_settings.h"
#include "engine/session.h"
#include "litertlm/generation.h"
#include "text/tokenizer.h"

namespace litertlm {

/// What a reply needs to know about its model; the referents must outlive the call.
struct GenerationContext {
  const Tokenizer& tokenizer;
  const PromptSettings& settings;
  SamplerOptions default_sampler;
  ThoughtMarkers thought;   ///< Empty: thoughts are not told from the text.
  int vocab_size;           ///< Length of a row of logits.
  bool in_thought = false;  ///< The prompt ends within a thought.
};

/// Appends `prompt` to `session` and continues it. Afterwards the session ends with the reply,
/// without the tokens that ended it. Where it throws kContextFull, and where it was cancelled
/// before the first token, the session is as it was.
Completion Generate(const GenerationContext& context, Session& session,
                    std::span<const TokenId> prompt, const GenerationOptions& options,
                    const ChunkCallback& on_chunk);

}  // namespace litertlm

#endif  // LITERTLM_ENGINE_GENERATOR_H_
