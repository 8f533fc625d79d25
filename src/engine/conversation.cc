#include "litertlm/conversation.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "engine/generator.h"
#include "engine/model_state.h"

namespace litertlm {
namespace {

// A template may open the thought itself, so that the reply begins within it.
bool EndsInThought(const std::vector<PromptPart>& parts, const std::string& marker) {
  if (parts.empty() || marker.empty() || parts.back().control != ControlTokens::kParse)
    return false;
  const std::string_view text = parts.back().text;
  return text.substr(0, text.find_last_not_of(" \t\r\n") + 1).ends_with(marker);
}

}  // namespace

struct Conversation::State {
  State(Model model_handle, ConversationOptions conversation_options)
      : model(std::move(model_handle)),
        options(std::move(conversation_options)),
        chat_template(model.state_->chat_template()),
        session(model.state_->NewSession()) {}

  GenerationContext context() const {
    return model.state_->generation_context(chat_template.supports_thinking());
  }

  void Encode(const std::vector<PromptPart>& parts, std::vector<TokenId>& ids) const {
    for (const PromptPart& part : parts) {
      model.state_->tokenizer().Encode(part.text, part.control, ids);
    }
  }

  /// What this turn adds to those before.
  std::vector<TokenId> TurnPrompt(std::string_view message) const {
    const bool first = session.size() == 0;
    std::vector<TokenId> ids;
    if (first) ids = model.state_->settings().start;
    Encode(chat_template.RenderTurn(options.system, message, first, options.thinking), ids);
    return ids;
  }

  /// The whole conversation, as the Jinja template has it.
  std::vector<PromptPart> WholeParts(std::string_view message) const {
    const PromptSettings& settings = model.state_->settings();
    const Tokenizer& tokenizer = model.state_->tokenizer();
    EdgeTokens edges;
    edges.begin = tokenizer.Decode(settings.start);
    if (!settings.stops.empty()) edges.end = tokenizer.Decode(settings.stops.front());
    std::vector<ChatMessage> dialog;
    if (!options.system.empty()) dialog.push_back({"system", options.system});
    dialog.insert(dialog.end(), messages.begin(), messages.end());
    dialog.push_back({"user", std::string(message)});
    return chat_template.jinja()->Render(dialog, edges, options.thinking);
  }

  /// With the start token in front, exactly once: templates may write it or leave it to us.
  std::vector<TokenId> WholePrompt(const std::vector<PromptPart>& parts) const {
    const std::vector<TokenId>& start = model.state_->settings().start;
    std::vector<TokenId> ids;
    Encode(parts, ids);
    const bool starts =
        ids.size() >= start.size() && std::equal(start.begin(), start.end(), ids.begin());
    if (!starts) ids.insert(ids.begin(), start.begin(), start.end());
    return ids;
  }

  Completion SendWhole(std::string_view message, const GenerationOptions& generation,
                       const ChunkCallback& on_chunk);

  Model model;
  ConversationOptions options;
  const ChatTemplate& chat_template;  ///< The model's.
  Session session;
  std::vector<ChatMessage> messages;  ///< What was said, where a Jinja template renders it.
};

// The session keeps what the new prompt has in common with it, and computes the rest.
Completion Conversation::State::SendWhole(std::string_view message,
                                          const GenerationOptions& generation,
                                          const ChunkCallback& on_chunk) {
  const std::vector<PromptPart> parts = WholeParts(message);
  const std::vector<TokenId> ids = WholePrompt(parts);
  GenerationContext generation_context = context();
  generation_context.in_thought = EndsInThought(parts, generation_context.thought.begin);

  const std::vector<TokenId> before = session.tokens();
  const size_t shared = session.SharedPrefix(ids);
  const auto restore = [&] {
    session.Truncate(static_cast<int>(shared));
    session.Append(std::span(before).subspan(shared));
  };
  session.Truncate(static_cast<int>(shared));
  Completion completion;
  try {
    completion =
        Generate(generation_context, session, std::span(ids).subspan(shared), generation, on_chunk);
  } catch (...) {
    restore();
    throw;
  }
  if (completion.stats.generated_tokens == 0) {
    restore();
    completion.stats.context_tokens = session.size();
    return completion;
  }
  messages.push_back({"user", std::string(message)});
  // With the thought: the template knows what of it the model is to see again.
  messages.push_back({"assistant", model.state_->tokenizer().Decode(completion.ids)});
  return completion;
}

Conversation::Conversation(Model model, ConversationOptions options)
    : state_(std::make_unique<State>(std::move(model), std::move(options))) {}
Conversation::Conversation(Conversation&&) noexcept = default;
Conversation& Conversation::operator=(Conversation&&) noexcept = default;
Conversation::~Conversation() = default;

Completion Conversation::Send(std::string_view message, const GenerationOptions& options,
                              const ChunkCallback& on_chunk) {
  State& s = *state_;
  if (s.chat_template.jinja() != nullptr) return s.SendWhole(message, options, on_chunk);
  return Generate(s.context(), s.session, s.TurnPrompt(message), options, on_chunk);
}

std::vector<int32_t> Conversation::Render(std::string_view message) const {
  const State& s = *state_;
  if (s.chat_template.jinja() == nullptr) return s.TurnPrompt(message);
  std::vector<TokenId> ids = s.WholePrompt(s.WholeParts(message));
  const size_t shared = s.session.SharedPrefix(ids);
  ids.erase(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(shared));
  return ids;
}

int Conversation::context_tokens() const { return state_->session.size(); }

}  // namespace litertlm
