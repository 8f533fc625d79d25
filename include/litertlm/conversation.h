// A talk with a model, turn by turn.
#ifndef LITERTLM_CONVERSATION_H_
#define LITERTLM_CONVERSATION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "litertlm/generation.h"
#include "litertlm/model.h"

namespace litertlm {

struct ConversationOptions {
  std::string system{};  ///< What the model is told to be; may be empty.
  bool thinking = true;  ///< False: a model that can think is told not to.
};

/// Keeps what was said in its own cache: each turn costs only its new tokens. One thread at a time;
/// different conversations of one model may run in different threads.
class Conversation {
 public:
  /// Throws kUnsupported if the file says nothing about how messages become a prompt, kBadInput if
  /// its Jinja template is broken.
  explicit Conversation(Model model, ConversationOptions options = {});
  Conversation(Conversation&&) noexcept;
  Conversation& operator=(Conversation&&) noexcept;
  ~Conversation();

  /// Adds a message and returns the reply to it. `message` is never read as anything but text,
  /// whatever it spells. `on_chunk`, which may be null, gets the reply as it comes into being.
  /// Throws kContextFull if the message does not fit, kBadInput or kUnsupported where the file's
  /// Jinja template fails or refuses; the conversation is then as it was before.
  /// A reply that was cancelled before its first token leaves the conversation as it was, too.
  Completion Send(std::string_view message, const GenerationOptions& options = {},
                  const ChunkCallback& on_chunk = nullptr);

  /// The tokens that `Send` would compute for this message, for counting and looking at. Where a
  /// Jinja template changes what earlier turns rendered to, these are all from the first change on.
  std::vector<int32_t> Render(std::string_view message) const;

  int context_tokens() const;  ///< Tokens that the conversation takes so far.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace litertlm

#endif  // LITERTLM_CONVERSATION_H_
