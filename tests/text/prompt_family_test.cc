// What a tokenizer alone tells of how its model is prompted.
#include "text/prompt_family.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace litertlm {
namespace {

using testing::UnorderedElementsAre;

proto::LlmMetadata Metadata(const Tokenizer& tokenizer) { return MetadataFromTokenizer(tokenizer); }

std::unique_ptr<Tokenizer> Bundled(const std::string& path) {
  const MappedFile file =
      MappedFile::Open(std::filesystem::path(LITERTLM_SOURCE_DIR) / "testdata" / path);
  return path.ends_with(".json") ? LoadHfTokenizer(file.bytes(), path)
                                 : LoadSentencePiece(file.bytes(), path);
}

std::unique_ptr<Tokenizer> WithTokens(std::initializer_list<const char*> names) {
  std::string vocab;
  for (const char* name : names) {
    vocab += (vocab.empty() ? "\"" : ",\"") + std::string(name) +
             "\":" + std::to_string(std::count(vocab.begin(), vocab.end(), ':'));
  }
  const std::string json = "{\"model\":{\"vocab\":{" + vocab + "},\"merges\":[]}}";
  return LoadHfTokenizer(AsBytes(json), "test");
}

std::vector<std::string> Stops(const proto::LlmMetadata& metadata, const Tokenizer& tokenizer) {
  std::vector<std::string> names;
  for (const auto& stop : metadata.stop_tokens()) {
    names.push_back(tokenizer.TokenBytes(stop.token_ids().ids(0)));
  }
  return names;
}

TEST(PromptFamily, IsTheOneThatTheTokenizersNamesTell) {
  const auto qwen = Bundled("tiny-qwen3/tokenizer.json");
  const proto::LlmMetadata chat_ml = Metadata(*qwen);
  EXPECT_FALSE(chat_ml.has_start_token());
  EXPECT_THAT(Stops(chat_ml, *qwen), UnorderedElementsAre("<|im_end|>", "<|endoftext|>"));
  EXPECT_EQ(chat_ml.prompt_templates().system().prefix(), "<|im_start|>system\n");

  const auto gemma = Bundled("tiny-gemma3/tokenizer.model");
  const proto::LlmMetadata turns = Metadata(*gemma);
  EXPECT_EQ(gemma->TokenBytes(turns.start_token().token_ids().ids(0)), "<bos>");
  EXPECT_THAT(Stops(turns, *gemma), UnorderedElementsAre("<end_of_turn>", "<eos>"));
  EXPECT_FALSE(turns.prompt_templates().has_system());

  const auto llama = WithTokens({"a", "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>",
                                 "<|start_header_id|>", "<|end_header_id|>"});
  const proto::LlmMetadata headers = Metadata(*llama);
  EXPECT_EQ(headers.start_token().token_ids().ids(0), 1);
  EXPECT_THAT(Stops(headers, *llama), UnorderedElementsAre("<|end_of_text|>", "<|eot_id|>"));
  EXPECT_EQ(headers.prompt_templates().user().prefix(),
            "<|start_header_id|>user<|end_header_id|>\n\n");
}

TEST(PromptFamily, IsNoneWhereNoNameTellsIt) {
  const auto tokenizer = WithTokens({"a", "<s>", "</s>"});
  const proto::LlmMetadata metadata = Metadata(*tokenizer);
  EXPECT_EQ(metadata.start_token().token_ids().ids(0), 1);
  EXPECT_THAT(Stops(metadata, *tokenizer), UnorderedElementsAre("</s>"));
  EXPECT_FALSE(metadata.has_prompt_templates());
}

}  // namespace
}  // namespace litertlm
