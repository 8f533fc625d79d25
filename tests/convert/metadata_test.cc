// Metadata and tokenizers of converted files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libdeflate.h>

#include <cstring>
#include <filesystem>

#include "base/json.h"
#include "tests/convert/checkpoint_editor.h"
#include "tests/convert/converted.h"
#include "tests/error_of.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ConvertedMetadata, QwenMetadata) {
  const Converted c(Fixture("tiny-qwen3"), Quantization::kDynamicInt8);
  EXPECT_EQ(c.result.family, "qwen3");
  EXPECT_FALSE(c.metadata.has_start_token());
  EXPECT_THAT(StopIds(c.metadata), ElementsAre(1558, 1556));
  EXPECT_TRUE(c.metadata.llm_model_type().has_qwen3());
  EXPECT_EQ(c.metadata.sampler_params().type(), proto::SamplerParameters::TOP_P);
  EXPECT_EQ(c.metadata.sampler_params().k(), 20);
  EXPECT_FLOAT_EQ(c.metadata.sampler_params().p(), 0.95f);
  EXPECT_FLOAT_EQ(c.metadata.sampler_params().temperature(), 0.6f);
  EXPECT_EQ(c.metadata.max_num_tokens(), 64);
  EXPECT_EQ(c.metadata.prompt_templates().system().prefix(), "<|im_start|>system\n");
  EXPECT_FALSE(c.metadata.has_suppress_tokens());
  // The whole tokenizer.json, compressed.
  const Bytes section = c.file().Find(SectionType::kHfTokenizerZlib)->bytes;
  const std::string json = ReadFile(Fixture("tiny-qwen3") / "tokenizer.json");
  uint64_t size = 0;
  std::memcpy(&size, section.data(), sizeof size);
  ASSERT_EQ(size, json.size());
  std::string text(size, '\0');
  libdeflate_decompressor* unpacker = libdeflate_alloc_decompressor();
  EXPECT_EQ(libdeflate_zlib_decompress(unpacker, section.data() + 8, section.size() - 8,
                                       text.data(), size, nullptr),
            LIBDEFLATE_SUCCESS);
  libdeflate_free_decompressor(unpacker);
  EXPECT_EQ(text, json);
}

TEST(ConvertedMetadata, GemmaMetadata) {
  const Converted c(Fixture("tiny-gemma3"), Quantization::kDynamicInt8);
  EXPECT_THAT(c.metadata.start_token().token_ids().ids(), ElementsAre(2));
  EXPECT_THAT(StopIds(c.metadata), ElementsAre(1, 17));
  EXPECT_TRUE(c.metadata.llm_model_type().has_gemma3());
  // generation_config.json says 64; the family is greedy by default.
  EXPECT_EQ(c.metadata.sampler_params().k(), 1);
  EXPECT_FLOAT_EQ(c.metadata.sampler_params().temperature(), 1.0f);
  EXPECT_FALSE(c.metadata.prompt_templates().has_system());
  EXPECT_EQ(AsText(c.file().Find(SectionType::kSentencePiece)->bytes),
            ReadFile(Fixture("tiny-gemma3") / "tokenizer.model"));
}

TEST(ConvertedMetadata, TheCheckpointsOwnSamplerAndStopTokensCount) {
  CheckpointEditor editor("tiny-qwen3");
  editor.WriteText("generation_config.json",
                   R"({"eos_token_id": 5, "temperature": 0.7, "top_k": 0, "top_p": 0.8})");
  const Converted c(editor.Save(), Quantization::kDynamicInt8);
  EXPECT_THAT(StopIds(c.metadata), ElementsAre(1558, 1556, 5));
  EXPECT_EQ(c.metadata.sampler_params().k(), 1024);  // 0 stands for no limit.
  EXPECT_FLOAT_EQ(c.metadata.sampler_params().temperature(), 0.7f);
  editor.WriteText("generation_config.json", R"({"do_sample": false, "temperature": 0.7})");
  EXPECT_EQ(Converted(editor.Save(), Quantization::kDynamicInt8).metadata.sampler_params().k(), 1);
}

TEST(ConvertedMetadata, AddBosTokenFalseIsHonoured) {
  CheckpointEditor editor("tiny-gemma3");
  editor.WriteText("tokenizer_config.json", R"({"add_bos_token": false})");
  EXPECT_FALSE(Converted(editor.Save(), Quantization::kDynamicInt8).metadata.has_start_token());
}

TEST(ConvertedMetadata, GemmaFallsBackToTokenizerJson) {
  CheckpointEditor editor("tiny-gemma3");
  fs::remove(editor.file("tokenizer.model"));
  const Converted c(editor.Save(), Quantization::kDynamicInt8);
  EXPECT_NE(c.file().Find(SectionType::kHfTokenizerZlib), nullptr);
  EXPECT_EQ(c.file().Find(SectionType::kSentencePiece), nullptr);
  EXPECT_THAT(StopIds(c.metadata), ElementsAre(1, 17));
}

TEST(ConvertedMetadata, TheTableCoversEveryTokenAndPaddingIsNeverSampled) {
  CheckpointEditor editor("tiny-gemma3");
  fs::remove(editor.file("tokenizer.model"));
  Json tokenizer = ParseJson(ReadFile(editor.file("tokenizer.json")), "tokenizer.json");
  tokenizer["added_tokens"].push_back(
      {{"id", 1601}, {"content", "<image>"}, {"special", true}, {"normalized", false}});
  editor.WriteText("tokenizer.json", DumpJson(tokenizer));
  for (const auto q :
       {Quantization::kNone, Quantization::kDynamicInt8, Quantization::kDynamicInt4Block32}) {
    const Converted c(editor.Save(), q);
    EXPECT_THAT(Shape(*c.Tensor("decode", "model.embed_tokens.weight")), ElementsAre(1602, 128));
    EXPECT_THAT(c.metadata.suppress_tokens().ids(), ElementsAre(1600, 1601));
  }
  tokenizer["added_tokens"].back()["id"] = 5000;
  editor.WriteText("tokenizer.json", DumpJson(tokenizer));
  const Error error = ErrorOf([&] { Converted(editor.Save(), Quantization::kNone); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_THAT(error.message(), HasSubstr("5001 tokens"));
}

}  // namespace
}  // namespace litertlm
