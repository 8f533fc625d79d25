#include "text/jinja_chat.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "litertlm/error.h"

namespace litertlm {
namespace {

using jinja::Value;

bool Mentions(std::string_view source, std::string_view word) {
  return source.find(word) != std::string_view::npos;
}

Value Content(const std::string& text, bool list) {
  Value content = Value::String(text, jinja::Origin::kMessage);
  if (!list) return content;
  return Value::MakeList({Value::MakeDict(
      {{Value::String("type"), Value::String("text")}, {Value::String("text"), content}})});
}

}  // namespace

JinjaChat::JinjaChat(std::string_view source, std::string_view file)
    : template_(jinja::Template::Parse(source, fmt::format("{}: chat template", file))),
      thinks_(Mentions(source, "<think>") || Mentions(source, "</think>") ||
              Mentions(source, "enable_thinking")),
      // Most templates take strings. Those written for engines that always pass lists may not.
      lists_(!Shows(/*lists=*/false) && Shows(/*lists=*/true)) {}

std::vector<PromptPart> JinjaChat::Render(const std::vector<ChatMessage>& messages,
                                          const EdgeTokens& edges, bool thinking) const {
  return RenderAs(lists_, messages, edges, thinking);
}

std::vector<PromptPart> JinjaChat::RenderAs(bool lists, const std::vector<ChatMessage>& messages,
                                            const EdgeTokens& edges, bool thinking) const {
  std::vector<Value> dialog;
  for (const ChatMessage& message : messages) {
    dialog.push_back(Value::MakeDict({{Value::String("role"), Value::String(message.role)},
                                      {Value::String("content"), Content(message.text, lists)}}));
  }
  const Value context =
      Value::MakeDict({{Value::String("messages"), Value::MakeList(std::move(dialog))},
                       {Value::String("add_generation_prompt"), Value::Bool(true)},
                       {Value::String("tools"), Value::None()},
                       {Value::String("bos_token"), Value::String(edges.begin)},
                       {Value::String("eos_token"), Value::String(edges.end)},
                       {Value::String("enable_thinking"), Value::Bool(thinking)}});
  std::vector<PromptPart> parts;
  for (jinja::Piece& piece : template_.Render(context)) {
    const bool fixed = piece.origin == jinja::Origin::kTemplate;
    parts.push_back(
        {std::move(piece.text), fixed ? ControlTokens::kParse : ControlTokens::kAsText});
  }
  return parts;
}

// Whether a message comes out of the template if its content is of that kind.
bool JinjaChat::Shows(bool lists) const {
  try {
    const auto parts = RenderAs(lists, {{"user", "word"}}, {}, /*thinking=*/true);
    return std::any_of(parts.begin(), parts.end(), [](const PromptPart& part) {
      return part.control == ControlTokens::kAsText && part.text == "word";
    });
  } catch (const Error&) {
    return false;
  }
}

}  // namespace litertlm
