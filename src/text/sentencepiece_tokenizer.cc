#include "text/sentencepiece_tokenizer.h"

#include <utility>

#include "text/byte_piece.h"
#include "text/normalizer.h"

namespace litertlm {

SentencePieceTokenizer::SentencePieceTokenizer(SentencePieceModel model)
    : model_(std::move(model)) {
  for (TokenId id = 0; id < size(); ++id) {
    const PieceType type = model_.Type(id);
    if (type == PieceType::kControl) control_.Add(id);
    if (type == PieceType::kUserDefined || type == PieceType::kControl) {
      matcher_.Add(model_.vocabulary.Piece(id), id);
    }
  }
}

void SentencePieceTokenizer::Encode(std::string_view text, ControlTokens control,
                                    std::vector<TokenId>& ids) const {
  CheckTextSize(text);
  const auto allowed = [&](TokenId id) {
    return control == ControlTokens::kParse || !IsControl(id);
  };
  EncodeNormalized(model_.normalizer.Normalize(text, matcher_, allowed), control, ids);
}

void SentencePieceTokenizer::AppendUnknown(std::string_view character, size_t start,
                                           std::vector<TokenId>& ids) const {
  for (const char c : character) {
    const TokenId byte = model_.byte_fallback ? model_.byte_ids[static_cast<unsigned char>(c)] : -1;
    if (byte < 0) {
      const bool again = ids.size() > start && ids.back() == model_.unknown;
      if (model_.unknown >= 0 && !again) ids.push_back(model_.unknown);
      return;
    }
    ids.push_back(byte);
  }
}

std::string SentencePieceTokenizer::TokenBytes(TokenId id) const {
  CheckTokenId(*this, id);
  const std::string_view piece = model_.vocabulary.Piece(id);
  const PieceType type = model_.Type(id);
  if (type == PieceType::kByte) {
    if (const int byte = ByteOfPiece(piece); byte >= 0) {
      return std::string(1, static_cast<char>(byte));
    }
  }
  if (type == PieceType::kControl || type == PieceType::kUnknown) return std::string(piece);
  return ReplaceAll(piece, kSpaceMark, " ");
}

std::unique_ptr<Tokenizer> LoadSentencePiece(Bytes bytes, std::string_view where) {
  SentencePieceModel model = ReadSentencePieceModel(bytes, where);
  return model.algorithm == SentencePieceAlgorithm::kUnigram
             ? NewUnigramTokenizer(std::move(model), where)
             : NewBpeTokenizer(std::move(model));
}

}  // namespace litertlm
