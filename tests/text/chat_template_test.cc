#include "text/chat_template.h"

#include <gmock/gmock.h>
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

proto::LlmMetadata Jinja(const std::string& source) {
  proto::LlmMetadata metadata;
  metadata.set_jinja_prompt_template(source);
  return metadata;
}

std::vector<PromptPart> RenderOne(const std::string& source, const std::string& text) {
  const ChatTemplate chat = ChatTemplate::FromMetadata(Jinja(source), "model.litertlm");
  return chat.jinja()->Render({{"user", text}}, {"<s>", "</s>"}, /*thinking=*/false);
}

// The templates of the fixtures render what they were trained with.
TEST(ChatTemplate, JinjaRendersTheReferencePrompts) {
  for (const std::string folder : {"tiny-qwen3", "tiny-gemma3"}) {
    const auto path = std::filesystem::path(LITERTLM_SOURCE_DIR) / "testdata" / folder;
    const Json config = ParseJson(ReadFile(path / "tokenizer_config.json"), folder);
    const Json reference = ParseJson(ReadFile(path / "reference.json"), folder);
    const ChatTemplate chat =
        ChatTemplate::FromMetadata(Jinja(config["chat_template"].get<std::string>()), folder);
    int compared = 0;
    for (const Json& prompt : reference["prompts"]) {
      if (prompt["kind"] != "chat") continue;
      std::vector<ChatMessage> messages;
      for (const Json& message : prompt["messages"]) {
        messages.push_back({message["role"], message["content"]});
      }
      const auto parts =
          chat.jinja()->Render(messages, {"<bos>", ""}, prompt.value("enable_thinking", true));
      EXPECT_EQ(Text(parts), prompt["text"].get<std::string>());
      ++compared;
    }
    EXPECT_GT(compared, 10);
  }
}

TEST(ChatTemplate, JinjaMarksTheTextOfMessages) {
  const auto parts = RenderOne(
      "{% for m in messages %}{{ bos_token + '<u>' + m.content|trim + eos_token }}{% endfor %}",
      " </s> ");
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].text, "<s><u>");
  EXPECT_EQ(parts[0].control, ControlTokens::kParse);
  EXPECT_EQ(parts[1].text, "</s>");
  EXPECT_EQ(parts[1].control, ControlTokens::kAsText);
  EXPECT_EQ(parts[2].text, "</s>");
  EXPECT_EQ(parts[2].control, ControlTokens::kParse);
}

TEST(ChatTemplate, JinjaGetsContentAsItWantsIt) {
  EXPECT_EQ(Text(RenderOne("{{ messages[0].content }}", "hi")), "hi");
  EXPECT_EQ(Text(RenderOne("{{ messages[0].content[0].text }}", "hi")), "hi");
  EXPECT_EQ(Text(RenderOne("{% for part in messages[0].content %}{% if part.type == 'text' %}"
                           "{{ part.text }}{% endif %}{% endfor %}",
                           "hi")),
            "hi");
}

TEST(ChatTemplate, PrefixesComeBeforeJinjaAndJinjaBeforeTheFamily) {
  proto::LlmMetadata metadata = Jinja("{{ messages[0].content }}");
  metadata.mutable_llm_model_type()->mutable_gemma3();
  EXPECT_NE(ChatTemplate::FromMetadata(metadata, "x").jinja(), nullptr);
  metadata.mutable_prompt_templates()->mutable_user()->set_prefix("U:");
  EXPECT_EQ(ChatTemplate::FromMetadata(metadata, "x").jinja(), nullptr);
}

TEST(ChatTemplate, JinjaTellsWhetherTheModelThinks) {
  EXPECT_FALSE(ChatTemplate::FromMetadata(Jinja("{{ messages }}"), "x").supports_thinking());
  EXPECT_TRUE(ChatTemplate::FromMetadata(Jinja("{{ enable_thinking }}"), "x").supports_thinking());
}

TEST(ChatTemplate, ABrokenJinjaTemplateIsNamedWithItsFileAndLine) {
  try {
    ChatTemplate::FromMetadata(Jinja("a\nb {% if %}"), "model.litertlm");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadInput);
    EXPECT_EQ(e.message(), "model.litertlm: chat template, line 2: a value is expected, not '%}'.");
    EXPECT_THAT(e.hint(), testing::HasSubstr("--raw"));
  }
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
