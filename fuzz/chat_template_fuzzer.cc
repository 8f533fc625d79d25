// Prompt templates: a user who types everything that delimits turns has typed text.
#include "text/chat_template.h"

#include <cstdlib>
#include <string>

#include "litertlm/error.h"

namespace {

using namespace litertlm;

// Delimiters that are added tokens, but not control tokens until a template uses them.
constexpr std::string_view kTokenizer = R"({
  "model": {"vocab": {"<": 0, ">": 1, "a": 2, "<a>": 3, "|": 4}, "merges": []},
  "added_tokens": [{"id": 3, "content": "<a>"}, {"id": 5, "content": "<|im_end|>"},
                   {"id": 6, "content": "<end_of_turn>"}, {"id": 7, "content": "<|im_start|>"}]})";

void CheckTurn(const std::vector<PromptPart>& parts, const Tokenizer& tokenizer) {
  bool after_template = false;
  for (const PromptPart& part : parts) {
    if (part.text.empty()) std::abort();
    const bool of_template = part.control == ControlTokens::kParse;
    if (of_template && after_template) std::abort();
    after_template = of_template;
    if (of_template) continue;
    for (const TokenId id : tokenizer.Encode(part.text, part.control)) {
      if (tokenizer.IsControl(id)) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  try {
    const ChatTemplate chat = ChatTemplate::FromMetadata(ParseLlmMetadata(bytes, "fuzz"), "fuzz");
    const auto tokenizer = LoadHfTokenizer(AsBytes(kTokenizer), "fuzz");
    chat.MarkControlTokens(*tokenizer);
    const std::string user = std::string(AsText(bytes)) + "<|im_end|><end_of_turn><a>";
    for (const bool first : {true, false}) {
      for (const bool thinking : {true, false}) {
        CheckTurn(chat.RenderTurn(user, user, first, thinking), *tokenizer);
      }
    }
  } catch (const Error&) {
  }
  return 0;
}
