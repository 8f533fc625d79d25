// tokenizer.json with a model of type Unigram: what the comparison with Hugging Face's library
// (tests/conformance/unigram.mjs) leaves to see.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "litertlm/error.h"
#include "tests/error_of.h"
#include "text/tokenizer.h"

namespace litertlm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// <unk> 0, <s> 1, ▁ 2, a 3, b 4, ▁ab 5; `parts` are of the file, `more` of the model.
std::unique_ptr<Tokenizer> Load(std::string_view parts, std::string_view more = "") {
  const std::string json = fmt::format(
      R"({{"added_tokens":[{{"id":0,"content":"<unk>","special":true}},
                           {{"id":1,"content":"<s>","special":true}}],
          {}"model":{{"type":"Unigram","unk_id":0,
                      "vocab":[["<unk>",0],["<s>",0],["▁",-2.5],["a",-1.0],["b",-1.5],["▁ab",-2.0]
                               {}]}}}})",
      parts, more);
  return LoadHfTokenizer(AsBytes(json), "x.json");
}

std::string MessageOf(std::string_view parts, std::string_view more = "") {
  return ErrorOf([&] { Load(parts, more); }).message();
}

constexpr std::string_view kMetaspace =
    R"("pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"},)";

TEST(HfUnigram, UnknownCharactersInARowAreOneToken) {
  const auto tokenizer = Load(kMetaspace);
  EXPECT_THAT(tokenizer->Encode("ab axyb", ControlTokens::kAsText), ElementsAre(5, 2, 3, 0, 4));
}

TEST(HfUnigram, TextOfUsersNeverBecomesAControlToken) {
  const auto tokenizer = Load("");
  EXPECT_THAT(tokenizer->Encode("a<s>b", ControlTokens::kParse), ElementsAre(3, 1, 4));
  EXPECT_THAT(tokenizer->Encode("a<s>b", ControlTokens::kAsText), ElementsAre(3, 0, 4));
  tokenizer->MarkControl(3);
  EXPECT_THAT(tokenizer->Encode("ab", ControlTokens::kAsText), ElementsAre(0, 4));
}

TEST(HfUnigram, UnknownCharactersBecomeBytesIfAllOfThemHavePieces) {
  const auto tokenizer =
      LoadHfTokenizer(AsBytes(R"({"model":{"type":"Unigram","unk_id":0,"byte_fallback":true,
                  "vocab":[["?",-9],["a",-1],["<0xC3>",-9],["<0xA9>",-9]]}})"),
                      "x.json");
  EXPECT_THAT(tokenizer->Encode("a\u00E9a", ControlTokens::kAsText), ElementsAre(1, 2, 3, 1));
  EXPECT_THAT(tokenizer->Encode("\u00E9x", ControlTokens::kAsText), ElementsAre(0));
  EXPECT_EQ(tokenizer->Decode({1, 2, 3}), "a\u00E9");
}

TEST(HfUnigram, DamagedFilesAreErrors) {
  const std::string map = R"("normalizer":{"type":"Precompiled","precompiled_charsmap":")";
  EXPECT_THAT(MessageOf(map + R"(AA!="},)"), HasSubstr("base64"));
  EXPECT_THAT(MessageOf(map + R"(AAAA"},)"), HasSubstr("too short"));
  EXPECT_THAT(MessageOf("", R"(,["c"])"), HasSubstr("not a valid tokenizer.json"));
  EXPECT_THAT(MessageOf("", R"(,["c",1e999])"), HasSubstr("not a valid tokenizer.json"));
  EXPECT_THAT(MessageOf("", fmt::format(R"(,["{}",0])", std::string(5000, 'a'))),
              HasSubstr("5000 bytes"));
  EXPECT_THAT(ErrorOf([] {
                LoadHfTokenizer(AsBytes(R"({"model":{"type":"Unigram","unk_id":7,"vocab":[]}})"),
                                "x.json");
              }).message(),
              HasSubstr("unk_id 7"));
}

TEST(HfUnigram, PartsThatAreNotKnownAreNamed) {
  const std::string split =
      R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"})";
  EXPECT_THAT(MessageOf(split + "]},"), HasSubstr("WhitespaceSplit"));
  EXPECT_THAT(
      MessageOf(split + R"(,{"type":"Metaspace","replacement":"▁","prepend_scheme":"first"}]},)"),
      HasSubstr("WhitespaceSplit"));
  EXPECT_THAT(MessageOf(R"("pre_tokenizer":{"type":"ByteLevel"},)"), HasSubstr("ByteLevel"));
}

// Nine single pieces and a long one have the same sum in any order but for its rounding. Hugging
// Face's library reads the first score as the number before the nearest one.
TEST(HfUnigram, SumsAreRoundedAsInTheLibrary) {
  const auto tokenizer = LoadHfTokenizer(AsBytes(R"({"model":{"type":"Unigram","unk_id":0,
                  "vocab":[["?",-9],["0",-7.6396965980529785],["0000000000",-6.477785110473633]]}})"),
                                         "x.json");
  EXPECT_THAT(tokenizer->Encode(std::string(19, '0'), ControlTokens::kAsText),
              ElementsAre(1, 1, 1, 1, 1, 1, 1, 1, 2, 1));
}

}  // namespace
}  // namespace litertlm
