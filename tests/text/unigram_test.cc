// What tests/conformance/sentencepiece_unigram_test.cc, whose numbers are the library's, leaves to
// see: control tokens, damage and time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

#include "base/utf8.h"
#include "litertlm/error.h"
#include "tests/error_of.h"
#include "tests/text/sentencepiece_writer.h"
#include "text/tokenizer.h"

namespace litertlm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<Tokenizer> Load(const SentencePieceWriter& writer) {
  return LoadSentencePiece(AsBytes(writer.model()), "x.model");
}

// <unk> 0, <s> 1, <turn> 2, a 3, ab 4, abc 5, b 6; spaces stay as they are.
SentencePieceWriter Letters() {
  SentencePieceWriter writer;
  writer.Piece("<unk>", 0, PieceType::kUnknown)
      .Piece("<s>", 0, PieceType::kControl)
      .Piece("<turn>", 0, PieceType::kUserDefined)
      .Piece("a", -1)
      .Piece("ab", -1.5F)
      .Piece("abc", -4)
      .Piece("b", -1)
      .Normalizer(3, false)
      .Normalizer(4, false);
  return writer;
}

// The double array of one rule: `from`, a byte, becomes `to`. The root's children are at 1 ^ byte,
// and the rule's value is at 0 ^ byte.
std::string MapOf(char from, std::string_view to) {
  const auto byte = static_cast<uint8_t>(from);
  std::vector<uint32_t> units(256);
  units[0] = 1U << 10;
  units[byte ^ 1U] = byte | 1U << 8 | 1U << 10;  // Its child's base is 1 away.
  units[byte] = 1U << 31;                        // The value 0.
  std::string map(4 + 4 * units.size(), '\0');
  const auto size = static_cast<uint32_t>(4 * units.size());
  std::memcpy(map.data(), &size, sizeof size);
  std::memcpy(map.data() + 4, units.data(), size);
  return map.append(to).append(1, '\0');
}

TEST(Unigram, TakesTheDivisionWithTheHighestSum) {
  const auto tokenizer = Load(Letters());
  EXPECT_THAT(tokenizer->Encode("ab", ControlTokens::kAsText), ElementsAre(4));
  EXPECT_THAT(tokenizer->Encode("abc", ControlTokens::kAsText), ElementsAre(5));
  EXPECT_THAT(tokenizer->Encode("aab", ControlTokens::kAsText), ElementsAre(3, 4));
  EXPECT_THAT(tokenizer->Encode("xya", ControlTokens::kAsText), ElementsAre(0, 3));
  EXPECT_THAT(tokenizer->Encode("", ControlTokens::kAsText), ElementsAre());
}

TEST(Unigram, TextOfUsersNeverBecomesAControlToken) {
  const auto tokenizer = Load(Letters());
  EXPECT_THAT(tokenizer->Encode("a<s>ab", ControlTokens::kParse), ElementsAre(3, 1, 4));
  EXPECT_THAT(tokenizer->Encode("<s>", ControlTokens::kAsText), ElementsAre(0));
  EXPECT_THAT(tokenizer->Encode("a<turn>", ControlTokens::kAsText), ElementsAre(3, 2));
  tokenizer->MarkControl(2);
  EXPECT_THAT(tokenizer->Encode("a<turn>b", ControlTokens::kParse), ElementsAre(3, 2, 6));
  EXPECT_THAT(tokenizer->Encode("<turn>", ControlTokens::kAsText), ElementsAre(0));
}

TEST(Unigram, CharacterMapsLeaveNamesOfTokensAlone) {
  const auto tokenizer = Load(Letters().CharacterMap(MapOf('u', "a")));
  EXPECT_THAT(tokenizer->Encode("u<turn>ub", ControlTokens::kAsText), ElementsAre(3, 2, 4));
}

TEST(Unigram, DamagedModelsAreErrors) {
  const auto message = [](const SentencePieceWriter& writer) {
    return ErrorOf([&] { Load(writer); }).message();
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message(Letters().Piece("c", nan)), HasSubstr("piece 7"));
  EXPECT_THAT(message(Letters().Piece(std::string(5000, 'a'), 0)), HasSubstr("5000 bytes"));
  EXPECT_THAT(message(Letters().Trainer(3, 3)), HasSubstr("type 3"));
  EXPECT_THAT(message(Letters().CharacterMap(MapOf('u', "a"), 5)), HasSubstr("decoded text"));
  EXPECT_THAT(message(Letters().CharacterMap("abc")), HasSubstr("too short"));
  EXPECT_THAT(message(Letters().CharacterMap(MapOf('u', "\xC3"))), HasSubstr("not UTF-8"));
  std::string map = MapOf('u', "a");
  map[4 + 4 * 'u'] = 100;  // The value: behind all replacements.
  EXPECT_THAT(message(Letters().CharacterMap(map)), HasSubstr("without a value"));
  map = MapOf('u', "\u00E9");
  map[4 + 4 * 'u'] = 1;  // In the middle of a character.
  EXPECT_THAT(message(Letters().CharacterMap(map)), HasSubstr("without a value"));
}

TEST(Unigram, AnyScoresDivideAnyText) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float most = std::numeric_limits<float>::max();
  SentencePieceWriter writer = Letters();
  writer.Piece("c", infinity).Piece("bc", -infinity).Piece("d", most).Piece("dd", -most);
  EXPECT_EQ(Load(writer)->Decode(Load(writer)->Encode("abcddbca", ControlTokens::kAsText)),
            "abcddbca");
}

TEST(Unigram, DamagedCharacterMapsEndInTime) {
  // The child of 'u' is the root's child of 'u' again.
  std::string map = MapOf('u', "a");
  const size_t unit = 4 + 4 * ('u' ^ 1U);
  const uint32_t circle = static_cast<uint32_t>('u') | static_cast<uint32_t>('u') << 10;
  std::memcpy(map.data() + unit, &circle, sizeof circle);
  const auto tokenizer = Load(Letters().CharacterMap(map));
  EXPECT_THAT(ErrorOf([&] {
                tokenizer->Encode(std::string(100000, 'u'), ControlTokens::kAsText);
              }).message(),
              HasSubstr("character map"));
  const auto huge = Load(Letters().CharacterMap(MapOf('u', std::string(100000, 'a'))));
  EXPECT_THROW(huge->Encode("u", ControlTokens::kAsText), Error);
  for (size_t at = 0; at < map.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string damaged = MapOf('u', "\u00E9");
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      try {
        const auto loaded = Load(Letters().CharacterMap(damaged));
        EXPECT_TRUE(IsValidUtf8(loaded->Decode(loaded->Encode("uvt", ControlTokens::kAsText))));
      } catch (const Error&) {
      }
    }
  }
}

TEST(Unigram, LongPiecesTakeNoQuadraticTime) {
  SentencePieceWriter writer = Letters();
  for (int i = 2; i < 60; ++i) writer.Piece(std::string(static_cast<size_t>(i), 'a'), -1);
  EXPECT_GT(Load(writer)->Encode(std::string(1 << 20, 'a'), ControlTokens::kAsText).size(), 1000U);
}

}  // namespace
}  // namespace litertlm
