// Random checkpoints: that they are what real ones are, but for the values of weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "convert/convert.h"
#include "convert/synthetic.h"
#include "convert/synthetic_tokenizer.h"
#include "litertlm/error.h"
#include "tests/scratch_path.h"
#include "text/tokenizer.h"

namespace litertlm {
namespace {

constexpr char kText[] = "Ein Satz, 12 words & \u6F22\u5B57 \U0001F600\n";

void ExpectReads(const Tokenizer& tokenizer, const char* text) {
  const std::vector<TokenId> ids = tokenizer.Encode(text, ControlTokens::kAsText);
  EXPECT_EQ(tokenizer.Decode(ids), text);
  // Pieces of several letters are found, not only bytes.
  EXPECT_LT(ids.size(), std::string_view(text).size());
}

TEST(SyntheticTokenizer, OfQwen3HasItsSizeAndControlTokens) {
  const std::string json = Qwen3TokenizerJson();
  const auto tokenizer = LoadHfTokenizer(AsBytes(json), "tokenizer.json");
  EXPECT_EQ(tokenizer->size(), 151669);
  EXPECT_EQ(tokenizer->Find("<|im_end|>"), 151645);
  EXPECT_EQ(tokenizer->Find("</think>"), 151668);
  EXPECT_TRUE(tokenizer->IsControl(151645));
  ExpectReads(*tokenizer, kText);
}

TEST(SyntheticTokenizer, OfGemma3HasItsSizeAndControlTokens) {
  const std::string model = Gemma3TokenizerModel();
  const auto tokenizer = LoadSentencePiece(AsBytes(model), "tokenizer.model");
  EXPECT_EQ(tokenizer->size(), 262144);
  EXPECT_EQ(tokenizer->Find("<end_of_turn>"), 106);
  EXPECT_EQ(tokenizer->Find("<0x00>"), 238);
  ExpectReads(*tokenizer, kText);
}

TEST(SyntheticCheckpoint, IsConvertedLikeARealOne) {
  const std::filesystem::path folder = ScratchPath("synthetic");
  std::filesystem::remove_all(folder);
  WriteSyntheticCheckpoint("gemma3-270m", folder, 0, nullptr);
  const ConvertResult result = Convert({.checkpoint = folder,
                                        .output = folder / "model.litertlm",
                                        .quantization = Quantization::kDynamicInt4Block32});
  EXPECT_EQ(result.family, "gemma3");
  // 18 layers of 13 tensors, the embedding and the last norm.
  EXPECT_EQ(result.tensors, 236);
  std::filesystem::remove_all(folder);
}

TEST(SyntheticCheckpoint, ListsTheShapesThereAre) {
  try {
    WriteSyntheticCheckpoint("gpt-2", "nowhere", 0, nullptr);
    FAIL() << "There is no such shape.";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.hint(), testing::HasSubstr("qwen3-0.6b"));
  }
  EXPECT_FALSE(std::filesystem::exists("nowhere"));
}

}  // namespace
}  // namespace litertlm
