#include "tests/conformance/sentencepiece_reference.h"

#include <gtest/gtest.h>
#include <sentencepiece_processor.h>

#include <vector>

#include "base/utf8.h"
#include "tests/conformance/random_text.h"
#include "text/tokenizer.h"

namespace litertlm {

std::string WithOneByteForEachInvalidSequence(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = DecodeUtf8(text, i);
    result += c.valid ? text.substr(i, c.length) : "\xFF";
    i += c.length;
  }
  return result;
}

void CompareEncodings(const std::string& model, int texts) {
  sentencepiece::SentencePieceProcessor reference;
  ASSERT_TRUE(reference.LoadFromSerializedProto(model).ok());
  const auto ours = LoadSentencePiece(AsBytes(model), "model");
  ASSERT_EQ(ours->size(), reference.GetPieceSize());
  std::mt19937 random(7);
  std::string all;
  for (int i = 0; i <= texts; ++i) {
    const std::string text = i < texts ? RandomText(random) : all;
    std::vector<int> expected;
    ASSERT_TRUE(reference.Encode(WithOneByteForEachInvalidSequence(text), &expected).ok());
    const std::vector<TokenId> ids = ours->Encode(text, ControlTokens::kAsText);
    if (i == texts) {  // Too long to be shown.
      ASSERT_TRUE(ids == expected);
    } else {
      ASSERT_EQ(ids, expected) << '"' << text << '"' << " after " << i;
    }
    // Without junk, which could become valid where two texts meet: \xC3 and \xA9.
    all += ReplaceInvalidUtf8(text);
  }
}

}  // namespace litertlm
