// Our SentencePiece unigram models against the sentencepiece library, which also trains them.
#include <gtest/gtest.h>
#include <sentencepiece_processor.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "tests/conformance/random_text.h"
#include "tests/conformance/sentencepiece_reference.h"
#include "tests/conformance/sentencepiece_training.h"
#include "tests/text/sentencepiece_writer.h"
#include "text/tokenizer.h"

namespace litertlm {
namespace {

std::string Trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(' ');
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

// Spaces at the ends aside: the library leaves out what the prefix has put in, which can only be
// done for a whole text.
void CompareDecodings(const std::string& model, int texts) {
  sentencepiece::SentencePieceProcessor reference;
  ASSERT_TRUE(reference.LoadFromSerializedProto(model).ok());
  const auto ours = LoadSentencePiece(AsBytes(model), "model");
  std::mt19937 random(11);
  for (int i = 0; i < texts; ++i) {
    const std::vector<TokenId> ids = ours->Encode(RandomText(random), ControlTokens::kAsText);
    std::string expected;
    ASSERT_TRUE(reference.Decode(ids, &expected).ok());
    ASSERT_EQ(Trimmed(ours->Decode(ids)), Trimmed(expected));
  }
}

class TrainedUnigram : public testing::TestWithParam<std::string> {};

TEST_P(TrainedUnigram, EncodesAndDecodesAsTheLibrary) {
  const std::string model = TrainSentencePiece(GetParam());
  CompareEncodings(model, 5000);
  CompareDecodings(model, 2000);
}

INSTANTIATE_TEST_SUITE_P(
    Options, TrainedUnigram,
    testing::Values(
        "--vocab_size=800",  // nmt_nfkc is the default.
        "--vocab_size=2000 --byte_fallback=true",
        "--vocab_size=1000 --normalization_rule_name=nmt_nfkc_cf",
        "--vocab_size=1000 --normalization_rule_name=nfkc --byte_fallback=true",
        "--vocab_size=1000 --normalization_rule_name=identity --remove_extra_whitespaces=false",
        "--vocab_size=1000 --normalization_rule_name=identity --add_dummy_prefix=false "
        "--byte_fallback=true",
        "--vocab_size=1000 --treat_whitespace_as_suffix=true",
        "--vocab_size=1000 --remove_extra_whitespaces=false --split_by_whitespace=false "
        "--allow_whitespace_only_pieces=true",
        "--vocab_size=1200 --split_digits=true --max_sentencepiece_length=40",
        "--vocab_size=900 --model_type=bpe",
        "--vocab_size=900 --model_type=bpe "
        "--normalization_rule_name=nmt_nfkc_cf --byte_fallback=true"));

// Random pieces of few letters, whose scores are so coarse that many divisions are equally good.
// Those of other steps are equal only before they are rounded.
std::string RandomModel(std::mt19937& random, float step) {
  SentencePieceWriter writer;
  writer.Piece("<unk>", 0, PieceType::kUnknown);
  std::vector<std::string> pieces;
  for (int i = 0; i < 60; ++i) {
    std::string piece;
    for (auto n = 1 + random() % 5; n > 0; --n) {
      const std::string letters[] = {"a", "b", "c", "\u00E9", "\u2581"};
      piece += letters[random() % 5];
    }
    if (std::find(pieces.begin(), pieces.end(), piece) != pieces.end()) continue;
    pieces.push_back(piece);
    const auto kind = random() % 10;
    const float score = step * static_cast<float>(random() % 7);
    writer.Piece(piece, random() % 8 == 0 ? score : score - 10 * step,
                 kind == 0   ? PieceType::kUserDefined
                 : kind == 1 ? PieceType::kUnused
                             : PieceType::kNormal);
  }
  return writer.model();
}

TEST(Unigram, EquallyGoodDivisionsAreChosenAsInTheLibrary) {
  std::mt19937 random(5);
  for (int i = 0; i < 200; ++i) {
    const float steps[] = {0.5F, 1, 0.1F, 0.7F};
    const std::string model = RandomModel(random, steps[i % 4]);
    sentencepiece::SentencePieceProcessor reference;
    ASSERT_TRUE(reference.LoadFromSerializedProto(model).ok());
    const auto ours = LoadSentencePiece(AsBytes(model), "model");
    for (int t = 0; t < 100; ++t) {
      std::string text;
      for (auto n = random() % 200; n > 0; --n) {
        const char* letters[] = {"a", "b", "c", "\u00E9", " ", "a", "b", "x", "\u4E00"};
        text += letters[random() % 9];
      }
      std::vector<int> expected;
      ASSERT_TRUE(reference.Encode(text, &expected).ok());
      ASSERT_EQ(ours->Encode(text, ControlTokens::kAsText), expected) << text;
    }
  }
}

}  // namespace
}  // namespace litertlm
