// Chat prompts: what a file's metadata puts around messages, by prefixes and suffixes for each
// role, or by a Jinja template.
#ifndef LITERTLM_TEXT_CHAT_TEMPLATE_H_
#define LITERTLM_TEXT_CHAT_TEMPLATE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/llm_metadata.h"
#include "text/jinja_chat.h"
#include "text/prompt_part.h"
#include "text/tokenizer.h"

namespace litertlm {

struct Affixes {
  std::string prefix;
  std::string suffix;
};

/// Prefixes and suffixes render a conversation turn by turn. That is append-only: what an earlier
/// turn rendered to never changes, so the KV cache of earlier turns stays valid. A Jinja template
/// renders whole conversations, and may change what earlier turns rendered to. Immutable.
class ChatTemplate {
 public:
  /// From `prompt_templates`; where a file has none, from its Jinja template; else from its model
  /// type. Throws kUnsupported with a hint (--raw) where none is there, kBadInput for a Jinja
  /// template that does not parse.
  static ChatTemplate FromMetadata(const proto::LlmMetadata& metadata, std::string_view where);

  /// The Jinja template, if prompts come from one; RenderTurn is then not for use.
  const JinjaChat* jinja() const { return jinja_ ? &*jinja_ : nullptr; }

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
  std::optional<JinjaChat> jinja_;
  bool thinks_ = false;
  std::vector<std::string> thought_markers_;
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_CHAT_TEMPLATE_H_
