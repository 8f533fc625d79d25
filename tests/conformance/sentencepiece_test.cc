// Our SentencePiece BPE against the sentencepiece library, on variants of the tiny Gemma's model.
#include <gtest/gtest.h>
#include <sentencepiece_processor.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "tests/conformance/random_text.h"
#include "tests/conformance/sentencepiece_reference.h"
#include "text/tokenizer.h"

namespace litertlm {
namespace {

// A normalizer spec whose flags follow those of the file: in protobuf the last value counts, and
// messages that come twice are merged.
std::string WithNormalizerFlags(std::string model, bool prefix, bool strip, bool escape) {
  model += "\x1A\x06";  // Field 3, 6 bytes.
  model += {'\x18', static_cast<char>(prefix), '\x20', static_cast<char>(strip),
            '\x28', static_cast<char>(escape)};
  return model;
}

// The same for the trainer spec, field 2.
std::string WithTrainerFlags(std::string model, bool suffix, bool byte_fallback) {
  model += "\x12\x06";
  model +=
      {'\xC0', '\x01', static_cast<char>(suffix), '\x98', '\x02', static_cast<char>(byte_fallback)};
  return model;
}

// Byte pieces become normal ones.
std::string WithoutBytePieces(std::string model) {
  constexpr std::string_view kBytePiece = "\x0A\x0F\x0A\x06<0x";  // Size 15; field 1, size 6.
  for (size_t at = model.find(kBytePiece); at != std::string::npos;
       at = model.find(kBytePiece, at + 1)) {
    model[at + 16] = '\x01';
  }
  return model;
}

// Makes every `step`th normal piece of at least two bytes an unused one.
std::string WithUnusedPieces(const std::string& model, const Tokenizer& tokenizer, int step) {
  std::string result = model;
  for (TokenId id = 300; id < tokenizer.size(); id += step) {
    const std::string piece = tokenizer.TokenBytes(id);
    if (piece.size() < 2 || piece.find(' ') != std::string::npos) continue;
    // Field 1 of ModelProto holding the piece: its type, if absent, is that of a normal piece.
    const std::string start = std::string("\x0A") + static_cast<char>(piece.size()) + piece;
    const size_t at = result.find(start + "\x15");
    if (at == std::string::npos || at < 2) continue;
    const auto size = static_cast<unsigned char>(result[at - 1]);
    if (result[at - 2] != '\x0A' || size != start.size() + 5) continue;  // It has a type.
    result[at - 1] = static_cast<char>(size + 2);
    result.insert(at + size, "\x18\x05");  // type = UNUSED.
  }
  return result;
}

std::string Model() {
  return ReadFile(std::filesystem::path(LITERTLM_SOURCE_DIR) /
                  "testdata/tiny-gemma3/tokenizer.model");
}

TEST(SentencePiece, EncodesAsTheLibrary) { CompareEncodings(Model(), 20000); }

TEST(SentencePiece, DecodesAsTheLibrary) {
  const std::string model = Model();
  sentencepiece::SentencePieceProcessor reference;
  ASSERT_TRUE(reference.LoadFromSerializedProto(model).ok());
  const auto ours = LoadSentencePiece(AsBytes(model), "model");
  std::mt19937 random(11);
  for (int i = 0; i < 5000; ++i) {
    std::vector<TokenId> ids;
    for (auto n = random() % 20; n > 0; --n) {
      const auto id = static_cast<TokenId>(random() % static_cast<unsigned>(ours->size()));
      // Control and unknown pieces are spelled out by ours only, and lone bytes are not UTF-8.
      if (!reference.IsControl(id) && !reference.IsUnknown(id) && !reference.IsByte(id)) {
        ids.push_back(id);
      }
    }
    const auto more = ours->Encode(ReplaceInvalidUtf8(RandomText(random)), ControlTokens::kAsText);
    ids.insert(ids.end(), more.begin(), more.end());
    std::string expected;
    ASSERT_TRUE(reference.Decode(ids, &expected).ok());
    ASSERT_EQ(ours->Decode(ids), expected);
  }
}

TEST(SentencePiece, FlagsOfTheNormalizerWorkAsInTheLibrary) {
  for (int flags = 0; flags < 8; ++flags) {
    SCOPED_TRACE(flags);
    CompareEncodings(WithNormalizerFlags(Model(), flags & 1, flags & 2, flags & 4), 3000);
  }
}

TEST(SentencePiece, FlagsOfTheTrainerWorkAsInTheLibrary) {
  for (int flags = 0; flags < 4; ++flags) {
    SCOPED_TRACE(flags);
    const std::string model = WithNormalizerFlags(Model(), true, flags & 2, true);
    CompareEncodings(WithTrainerFlags(model, flags & 1, true), 3000);
  }
}

TEST(SentencePiece, UnknownCharactersWithoutBytePieces) {
  CompareEncodings(WithTrainerFlags(WithoutBytePieces(Model()), false, false), 5000);
}

TEST(SentencePiece, UnusedPiecesAreTakenApartAsInTheLibrary) {
  const auto tokenizer = LoadSentencePiece(AsBytes(Model()), "model");
  for (const int step : {2, 3, 7}) {
    const std::string model = WithUnusedPieces(Model(), *tokenizer, step);
    ASSERT_GT(model.size(), Model().size() + 100);
    CompareEncodings(model, 5000);
  }
}

}  // namespace
}  // namespace litertlm
