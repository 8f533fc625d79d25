#include "text/byte_unicode_tokenizer.h"

#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>

#include "text/hf_pipeline.h"

namespace litertlm {
namespace {

// A SentencePiece model as exporters make them from the vocabularies of Qwen and others: a piece
// for each byte's stand-in, some longer ones, no spaces of its own.
std::string ByteLevelModel() {
  enum PieceType { kNormal = 1, kUnknown = 2, kControl = 3 };
  std::string model;
  protozero::pbf_writer writer(model);
  float score = 0;
  const auto add = [&](std::string_view text, PieceType type) {
    std::string piece;
    protozero::pbf_writer part(piece);
    part.add_string(1, text.data(), text.size());
    part.add_float(2, score--);
    part.add_enum(3, type);
    writer.add_message(1, piece);
  };
  add("<unk>", kUnknown);
  add("<|im_end|>", kControl);
  add("Ġw", kNormal);
  add("Ã¼", kNormal);  // The two bytes of "ü".
  for (int byte = 0; byte < 256; ++byte) {
    add(ByteLevelChar(static_cast<unsigned char>(byte)), kNormal);
  }
  std::string trainer;
  protozero::pbf_writer(trainer).add_enum(3, 2);  // BPE.
  writer.add_message(2, trainer);
  std::string normalizer;
  protozero::pbf_writer spaces(normalizer);
  for (const int field : {3, 4, 5}) spaces.add_bool(static_cast<uint32_t>(field), false);
  writer.add_message(3, normalizer);
  return model;
}

TEST(ByteUnicodeTokenizer, SpellsTheBytesOfText) {
  const std::string model = ByteLevelModel();
  const auto tokenizer = SpellBytesAsUnicode(LoadSentencePiece(AsBytes(model), "test"));
  const std::string text = "a  würde\n\t€ <|im_end|>";
  const std::vector<TokenId> ids = tokenizer->Encode(text, ControlTokens::kAsText);
  EXPECT_EQ(tokenizer->Decode(ids), text);
  const auto count = [&](std::string_view piece) {
    return std::count(ids.begin(), ids.end(), tokenizer->Find(piece).value());
  };
  EXPECT_EQ(count("Ġw"), 1);
  EXPECT_EQ(count("Ã¼"), 1);
  EXPECT_EQ(count("<|im_end|>"), 0);
  EXPECT_EQ(tokenizer->TokenBytes(tokenizer->Find("Ġw").value()), " w");
  EXPECT_EQ(tokenizer->Encode("<|im_end|>", ControlTokens::kParse), std::vector<TokenId>{1});
  EXPECT_EQ(tokenizer->TokenBytes(1), "<|im_end|>");
}

TEST(ByteUnicodeTokenizer, EveryByteHasAToken) {
  const std::string model = ByteLevelModel();
  const auto tokenizer = SpellBytesAsUnicode(LoadSentencePiece(AsBytes(model), "test"));
  std::string all;
  for (TokenId id = 4; id < tokenizer->size(); ++id) all += tokenizer->TokenBytes(id);
  ASSERT_EQ(all.size(), 256u);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(static_cast<unsigned char>(all[i]), i);
}

}  // namespace
}  // namespace litertlm
