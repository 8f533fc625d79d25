// Chat prompts: what is put around each message, by the prefixes and suffixes of a file's metadata.
#ifndef LITERTLM_TEXT_CHAT_TEMPLATE_H_
#define LITERTLM_TEXT_CHAT_TEMPLATE_H_

#include <string>
#include <string_view>
#include <vector>

#include "format/llm_metadata.h"
#include "text/tokenizer.h"

namespace litertlm {

/// A stretch of a prompt. Only template text may become control tokens.
struct PromptPart {
  std::string text;
  ControlTokens control;
};

struct Affixes {
  std::string prefix;
  std::string suffix;
};

/// Renders a conversation turn by turn. Append-only: what an earlier turn rendered to never
/// changes, so the KV cache of earlier turns stays valid. Immutable.
class ChatTemplate {
 public:
  /// From `prompt_templates`; where a file has none, from its model type. Throws kUnsupported with
  /// a hint (--raw) where neither is there.
  static ChatTemplate FromMetadata(const proto::LlmMetadata& metadata, std::string_view where);

  /// The parts for one user message: for the first turn the system text (may be empty) and the
  /// message; for later turns first what closes the reply before. Ends with the prefix that makes
  /// the model answer. `thinking` false appends the family's empty thought, where it has one.
  std::vector<PromptPart> RenderTurn(std::string_view system, std::string_view user, bool first,
                                     bool thinking) const;

  /// Makes the tokens that delimit turns control tokens of `tokenizer`, so that the text of a
  /// message cannot end it.
  void MarkControlTokens(Tokenizer& tokenizer) const;

  bool supports_thinking() const;

 private:
  Affixes user_;
  Affixes model_;
  Affixes system_;
  bool has_system_ = false;
  bool thinks_ = false;
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_CHAT_TEMPLATE_H_
