#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/json.h"
#include "base/utf8.h"
#include "litertlm/error.h"
#include "tests/test_name.h"
#include "text/splitter.h"

namespace litertlm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path kTestdata = fs::path(LITERTLM_SOURCE_DIR) / "testdata";

std::unique_ptr<Tokenizer> Load(const std::string& path) {
  const MappedFile file = MappedFile::Open(kTestdata / path);
  return path.ends_with(".json") ? LoadHfTokenizer(file.bytes(), path)
                                 : LoadSentencePiece(file.bytes(), path);
}

// Vectors and prompts that were made with the sentencepiece library and with Hugging Face's rules.
class VectorTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = kTestdata / fs::path(GetParam()).parent_path();
    tokenizer_ = Load(GetParam());
  }
  bool sentencepiece() const { return GetParam().ends_with(".model"); }
  fs::path folder_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(VectorTest, EncodesAndDecodesAsTheReference) {
  const Json vectors = ParseJson(ReadFile(folder_ / "tokenizer_vectors.json"), "vectors");
  ASSERT_GT(vectors["vectors"].size(), 50u);
  for (const Json& vector : vectors["vectors"]) {
    const std::string text = vector["text"];
    // Spelled-out control pieces: the sentencepiece library has them as text, as we have any text
    // of a user.
    const bool control = vector.value("control", false);
    const auto mode = control ? ControlTokens::kAsText : ControlTokens::kParse;
    const auto expected = vector["ids"].get<std::vector<TokenId>>();
    EXPECT_EQ(tokenizer_->Encode(text, mode), expected) << text;
    EXPECT_EQ(tokenizer_->Decode(expected), vector["decoded"].get<std::string>()) << text;
  }
}

TEST_P(VectorTest, EncodesPromptsAsTheReference) {
  const Json reference = ParseJson(ReadFile(folder_ / "reference.json"), "reference");
  for (const Json& prompt : reference["prompts"]) {
    // A raw prompt has the start token in front, but not its name.
    const bool start = prompt["kind"] == "raw" && tokenizer_->Find("<bos>").has_value();
    const std::string text = (start ? "<bos>" : "") + prompt["text"].get<std::string>();
    EXPECT_EQ(tokenizer_->Encode(text, ControlTokens::kParse),
              prompt["ids"].get<std::vector<TokenId>>())
        << text;
    const auto output = prompt["output_ids"].get<std::vector<TokenId>>();
    const std::string output_text = prompt["output_text"];
    EXPECT_EQ(tokenizer_->Decode(output), output_text);
    StreamDecoder stream(*tokenizer_);
    std::string streamed;
    for (const TokenId id : output) {
      streamed += stream.Push(id);
      EXPECT_TRUE(IsValidUtf8(streamed));
    }
    EXPECT_EQ(streamed + stream.Flush(), output_text);
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, VectorTest,
                         testing::Values("tiny-qwen3/tokenizer.json", "tiny-gemma3/tokenizer.json",
                                         "tiny-gemma3/tokenizer.model"),
                         [](const auto& fixture) { return TestName(fixture.param); });

TEST(Tokenizer, TextOfUsersNeverBecomesAControlToken) {
  const auto qwen = Load("tiny-qwen3/tokenizer.json");
  const TokenId end = *qwen->Find("<|im_end|>");
  EXPECT_THAT(qwen->Encode("<|im_end|>", ControlTokens::kParse), ElementsAre(end));
  const auto as_text = qwen->Encode("a<|im_end|>b", ControlTokens::kAsText);
  EXPECT_THAT(as_text, testing::Not(testing::Contains(end)));
  EXPECT_EQ(qwen->Decode(as_text), "a<|im_end|>b");

  for (const std::string file : {"tokenizer.json", "tokenizer.model"}) {
    const auto gemma = Load("tiny-gemma3/" + file);
    const TokenId turn = *gemma->Find("<end_of_turn>");
    gemma->MarkControl(turn);
    EXPECT_TRUE(gemma->IsControl(turn));
    EXPECT_THAT(gemma->Encode("<end_of_turn>", ControlTokens::kParse), ElementsAre(turn));
    const auto ids = gemma->Encode("a<end_of_turn>b", ControlTokens::kAsText);
    EXPECT_THAT(ids, testing::Not(testing::Contains(turn))) << file;
    EXPECT_EQ(gemma->Decode(ids), "a<end_of_turn>b");
  }
}

// Gemma's runs of spaces are added tokens, and are decoded like any other piece.
TEST(Tokenizer, AddedTokensAreDecodedLikeOthers) {
  const auto tokenizer = LoadHfTokenizer(
      AsBytes(R"({"model":{"vocab":{"a":0,"\u2581\u2581":1,"\u2581<x>":2},"merges":[]},
                  "added_tokens":[{"id":1,"content":"\u2581\u2581"},
                                  {"id":2,"content":"\u2581<x>","special":true}],
                  "normalizer":{"type":"Replace","pattern":{"String":" "},"content":"\u2581"},
                  "decoder":{"type":"Replace","pattern":{"String":"\u2581"},"content":" "}})"),
      "x.json");
  EXPECT_EQ(tokenizer->Decode({0, 1, 0, 2}), "a  a\u2581<x>");
}

TEST(Tokenizer, UnknownIdsAreNamed) {
  for (const std::string file : {"tiny-qwen3/tokenizer.json", "tiny-gemma3/tokenizer.model"}) {
    const auto tokenizer = Load(file);
    EXPECT_THROW(tokenizer->TokenBytes(-1), Error);
    EXPECT_THROW(tokenizer->TokenBytes(tokenizer->size()), Error);
  }
}

TEST(Tokenizer, AnyBytesSurviveAsText) {
  const auto qwen = Load("tiny-qwen3/tokenizer.json");
  const auto gemma = Load("tiny-gemma3/tokenizer.model");
  std::string bytes;
  uint32_t state = 1;
  for (int i = 0; i < 20000; ++i)
    bytes += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  const std::string valid = ReplaceInvalidUtf8(bytes);
  EXPECT_EQ(gemma->Decode(gemma->Encode(bytes, ControlTokens::kAsText)), valid);
  // Composed by NFC once, the text returns to itself.
  const std::string composed = qwen->Decode(qwen->Encode(bytes, ControlTokens::kAsText));
  EXPECT_EQ(qwen->Decode(qwen->Encode(composed, ControlTokens::kAsText)), composed);
}

TEST(Tokenizer, ALongWordTakesNoQuadraticTime) {
  const auto qwen = Load("tiny-qwen3/tokenizer.json");
  EXPECT_GT(qwen->Encode(std::string(1 << 20, 'a'), ControlTokens::kAsText).size(), 1000u);
}

TEST(Tokenizer, DamagedFilesAreErrors) {
  const std::string json = ReadFile(kTestdata / "tiny-qwen3/tokenizer.json");
  for (size_t size = 0; size < json.size(); size += 1 + json.size() / 101) {
    EXPECT_THROW(LoadHfTokenizer(AsBytes(json.substr(0, size)), "cut"), Error);
  }
  const std::string model = ReadFile(kTestdata / "tiny-gemma3/tokenizer.model");
  for (size_t at = 0; at < model.size(); at += 7) {
    std::string damaged = model;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    try {
      LoadSentencePiece(AsBytes(damaged), "damaged")->Encode("The capital", ControlTokens::kAsText);
    } catch (const Error&) {
    }
  }
  // A flag of the trainer, or of the normalizer, whose value is missing: nothing behind it is read.
  for (const std::string_view flag :
       {std::string_view("\x12\x02\xC0\x01", 4), std::string_view("\x1A\x01\x18", 3)}) {
    const std::vector<char> exact(flag.begin(), flag.end());
    EXPECT_THROW(LoadSentencePiece(std::as_bytes(std::span(exact)), "cut"), Error);
  }
  const auto load = [](std::string_view text) {
    try {
      LoadHfTokenizer(AsBytes(text), "x.json");
    } catch (const Error& e) {
      return e.message();
    }
    return std::string();
  };
  EXPECT_THAT(load(R"({"model":{"type":"WordPiece","vocab":{}}})"), HasSubstr("WordPiece"));
  EXPECT_THAT(load(R"({"model":{"vocab":{"a":99999999999},"merges":[]}})"),
              HasSubstr("99999999999"));
  EXPECT_THAT(load(R"({"model":{"vocab":{"a":1,"b":1},"merges":[]}})"), HasSubstr("two pieces"));
  EXPECT_THAT(load(R"({"model":{"vocab":{"a":1},"merges":["a b"]}})"), HasSubstr("merge 0"));
  EXPECT_THAT(load(R"({"normalizer":{"type":"Dance"},"model":{"vocab":{},"merges":[]}})"),
              HasSubstr("Dance"));
  // An id that a vocabulary of this size cannot have would cost 128 MB.
  EXPECT_THAT(load(R"({"model":{"vocab":{"a":16777215},"merges":[]}})"), HasSubstr("16777215"));
}

TEST(Tokenizer, ANormalizerCannotMultiplyATextWithoutEnd) {
  std::string steps = R"({"type":"Replace","pattern":{"String":"a"},"content":"aa"})";
  for (int i = 0; i < 6; ++i) steps += "," + steps;
  const auto tokenizer =
      LoadHfTokenizer(AsBytes(R"({"normalizer":{"type":"Sequence","normalizers":[)" + steps +
                              R"(]},"model":{"vocab":{"a":0},"merges":[]}})"),
                      "x.json");
  EXPECT_EQ(tokenizer->Encode("b", ControlTokens::kAsText).size(), 0u);
  EXPECT_THROW(tokenizer->Encode("a", ControlTokens::kAsText), Error);
}

TEST(Tokenizer, ACharacterThatIsAControlTokenIsNotFoundInTextOfUsers) {
  for (const std::string decoder : {"ByteLevel", "ByteFallback"}) {
    const auto tokenizer = LoadHfTokenizer(
        AsBytes(R"({"model":{"vocab":{"a":0,"b":1,"<0x61>":2},"merges":[],"byte_fallback":true},
                    "added_tokens":[{"id":0,"content":"a","special":true},
                                    {"id":2,"content":"<0x61>","special":true}],
                    "decoder":{"type":")" +
                decoder + R"("}})"),
        "x.json");
    EXPECT_THAT(tokenizer->Encode("ab", ControlTokens::kParse), ElementsAre(0, 1)) << decoder;
    EXPECT_THAT(tokenizer->Encode("ab", ControlTokens::kAsText), ElementsAre(1)) << decoder;
  }
}

TEST(Splitter, KeepsOrMergesMatchesAsAsked) {
  const auto split = [](SplitBehavior behavior) {
    std::vector<std::string_view> pieces;
    NewStringSplitter("-", behavior, false)->Split("a-b--c", pieces);
    return pieces;
  };
  EXPECT_THAT(split(SplitBehavior::kIsolated), ElementsAre("a", "-", "b", "-", "-", "c"));
  EXPECT_THAT(split(SplitBehavior::kRemoved), ElementsAre("a", "b", "c"));
  EXPECT_THAT(split(SplitBehavior::kMergedWithPrevious), ElementsAre("a-", "b-", "-", "c"));
  EXPECT_THAT(split(SplitBehavior::kMergedWithNext), ElementsAre("a", "-b", "-", "-c"));
  EXPECT_THAT(split(SplitBehavior::kContiguous), ElementsAre("a", "-", "b", "--", "c"));
}

TEST(Splitter, PatternsCannotCutCharacters) {
  std::vector<std::string_view> pieces;
  const auto splitter = NewRegexSplitter(R"(\C)", SplitBehavior::kIsolated, false);
  EXPECT_THROW(splitter->Split("\u00E9", pieces), Error);
}

TEST(Splitter, PatternsThatTryTooMuchAreGivenUp) {
  std::vector<std::string_view> pieces;
  const std::string text(300, 'a');
  const auto cubic = NewRegexSplitter("a*a*a*[bc]", SplitBehavior::kIsolated, false);
  EXPECT_THROW(cubic->Split(text, pieces), Error);
  // What real patterns do with a long run is within the limit.
  NewRegexSplitter(R"(\s*[\r\n]+|\s+(?!\S)|\s+)", SplitBehavior::kIsolated, false)
      ->Split(std::string(1 << 20, ' '), pieces);
  EXPECT_EQ(pieces.size(), 1u);
}

TEST(Splitter, MongolianVowelSeparatorIsNoSpace) {
  std::vector<std::string_view> pieces;
  NewRegexSplitter(R"(\s+)", SplitBehavior::kIsolated, false)->Split("a\u180Eb\u2003c", pieces);
  EXPECT_THAT(pieces, ElementsAre("a\u180Eb", "\u2003", "c"));
}

}  // namespace
}  // namespace litertlm
