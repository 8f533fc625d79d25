#include "text/chat_template.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/json.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

proto::LlmMetadata Metadata(bool gemma) {
  proto::LlmMetadata metadata;
  if (gemma) {
    metadata.mutable_llm_model_type()->mutable_gemma3();
  } else {
    metadata.mutable_llm_model_type()->mutable_qwen3();
  }
  return metadata;
}

std::string Text(const std::vector<PromptPart>& parts) {
  std::string text;
  for (const PromptPart& part : parts) text += part.text;
  return text;
}

// The texts that the families' own Jinja templates give.
TEST(ChatTemplate, RendersTheReferencePrompts) {
  for (const bool gemma : {false, true}) {
    const std::string folder = gemma ? "tiny-gemma3" : "tiny-qwen3";
    const Json reference = ParseJson(ReadFile(std::filesystem::path(LITERTLM_SOURCE_DIR) /
                                              "testdata" / folder / "reference.json"),
                                     folder);
    const ChatTemplate chat = ChatTemplate::FromMetadata(Metadata(gemma), folder);
    int compared = 0;
    for (const Json& prompt : reference["prompts"]) {
      if (prompt["kind"] != "chat") continue;
      std::string system, text = gemma ? "<bos>" : "";
      bool first = true;
      for (const Json& message : prompt["messages"]) {
        const std::string content = message["content"];
        if (message["role"] == "system") {
          system = content;
        } else if (message["role"] == "user") {
          text +=
              Text(chat.RenderTurn(system, content, first, prompt.value("enable_thinking", true)));
          first = false;
        } else {
          text += content;
        }
      }
      EXPECT_EQ(text, prompt["text"].get<std::string>());
      ++compared;
    }
    EXPECT_GT(compared, 10);
  }
}

TEST(ChatTemplate, OnlyTemplateTextMayBecomeControlTokens) {
  const ChatTemplate chat = ChatTemplate::FromMetadata(Metadata(false), "x");
  const auto parts = chat.RenderTurn("S<|im_end|>", "U<|im_end|>", true, true);
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(parts[1].text, "S<|im_end|>");
  EXPECT_EQ(parts[1].control, ControlTokens::kAsText);
  EXPECT_EQ(parts[3].text, "U<|im_end|>");
  EXPECT_EQ(parts[3].control, ControlTokens::kAsText);
  EXPECT_EQ(parts[4].control, ControlTokens::kParse);
}

TEST(ChatTemplate, AFileWithoutTemplatesIsRefusedWithAWayOut) {
  try {
    ChatTemplate::FromMetadata(proto::LlmMetadata(), "model.litertlm");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnsupported);
    EXPECT_NE(e.hint().find("--raw"), std::string::npos);
  }
}

}  // namespace
}  // namespace litertlm
