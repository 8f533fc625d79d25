// A file's Jinja template, as prompts of whole conversations.
#ifndef LITERTLM_TEXT_JINJA_CHAT_H_
#define LITERTLM_TEXT_JINJA_CHAT_H_

#include <string>
#include <string_view>
#include <vector>

#include "jinja/template.h"
#include "text/prompt_part.h"

namespace litertlm {

struct ChatMessage {
  std::string role;  ///< "system", "user" or "assistant".
  std::string text;
};

/// How the tokens around prompts are spelled: the variables bos_token and eos_token.
struct EdgeTokens {
  std::string begin;
  std::string end;
};

/// Immutable.
class JinjaChat {
 public:
  /// `file` is named in messages. Throws kBadInput if the template does not parse.
  JinjaChat(std::string_view source, std::string_view file);

  /// The prompt that asks for the reply to the last message. The texts of messages are marked as
  /// such wherever the template puts them. Throws kBadInput where the template fails, kUnsupported
  /// where it refuses the conversation.
  std::vector<PromptPart> Render(const std::vector<ChatMessage>& messages, const EdgeTokens& edges,
                                 bool thinking) const;

  /// The template speaks of thinking.
  bool thinks() const { return thinks_; }
  /// All text that the template itself can write.
  const std::vector<std::string>& literals() const { return template_.literals(); }

 private:
  std::vector<PromptPart> RenderAs(bool lists, const std::vector<ChatMessage>& messages,
                                   const EdgeTokens& edges, bool thinking) const;
  bool Shows(bool lists) const;

  jinja::Template template_;
  bool thinks_;
  bool lists_;  ///< The template wants a message's content as a list of parts.
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_JINJA_CHAT_H_
