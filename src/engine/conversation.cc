#include "litertlm/conversation.h"

#include <utility>
#include <vector>

#include "engine/generator.h"
#include "engine/model_state.h"

namespace litertlm {

struct Conversation::State {
  State(Model model_handle, ConversationOptions conversation_options)
      : model(std::move(model_handle)),
        options(std::move(conversation_options)),
        chat_template(model.state_->chat_template()),
        session(model.state_->NewSession()) {}

  Model model;
  ConversationOptions options;
  ChatTemplate chat_template;
  Session session;
};

Conversation::Conversation(Model model, ConversationOptions options)
    : state_(std::make_unique<State>(std::move(model), std::move(options))) {}
Conversation::Conversation(Conversation&&) noexcept = default;
Conversation& Conversation::operator=(Conversation&&) noexcept = default;
Conversation::~Conversation() = default;

Completion Conversation::Send(std::string_view message, const GenerationOptions& options,
                              const ChunkCallback& on_chunk) {
  State& s = *state_;
  return Generate(s.model.state_->generation_context(s.chat_template.supports_thinking()),
                  s.session, Render(message), options, on_chunk);
}

std::vector<int32_t> Conversation::Render(std::string_view message) const {
  State& s = *state_;
  const bool first = s.session.size() == 0;
  std::vector<TokenId> ids;
  if (first) ids = s.model.state_->settings().start;
  for (const PromptPart& part :
       s.chat_template.RenderTurn(s.options.system, message, first, s.options.thinking)) {
    s.model.state_->tokenizer().Encode(part.text, part.control, ids);
  }
  return ids;
}

int Conversation::context_tokens() const { return state_->session.size(); }

}  // namespace litertlm
