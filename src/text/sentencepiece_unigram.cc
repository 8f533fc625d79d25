// SentencePiece's unigram model: the division of the whole text whose pieces have the highest sum
// of scores.
#include <fmt/format.h>

#include <limits>
#include <utility>

#include "litertlm/error.h"
#include "text/sentencepiece_tokenizer.h"
#include "text/unigram.h"

namespace litertlm {
namespace {

class UnigramTokenizer : public SentencePieceTokenizer {
 public:
  UnigramTokenizer(SentencePieceModel model_read, std::string_view where);

 private:
  void EncodeNormalized(std::string_view text, ControlTokens control,
                        std::vector<TokenId>& ids) const override;
  void EncodeGap(std::string_view text, std::vector<TokenId>& ids) const;

  PieceTrie trie_;
  // Of normal pieces. These are the library's values where there are none, or none above 0.
  float lowest_ = std::numeric_limits<float>::max();
  float highest_ = std::numeric_limits<float>::min();
};

UnigramTokenizer::UnigramTokenizer(SentencePieceModel model_read, std::string_view where)
    : SentencePieceTokenizer(std::move(model_read)) {
  std::vector<Vocabulary::Entry> entries;
  entries.reserve(model().types.size());
  for (TokenId id = 0; id < size(); ++id) {
    const PieceType type = model().Type(id);
    if (type == PieceType::kNormal) {
      lowest_ = std::min(lowest_, model().Score(id));
      highest_ = std::max(highest_, model().Score(id));
    } else if (type != PieceType::kUserDefined) {
      continue;
    }
    const std::string_view piece = model().vocabulary.Piece(id);
    if (piece.size() > kLongestUnigramPiece) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}: piece {} of the SentencePiece model has {} bytes; the limit is "
                              "{}.",
                              where, id, piece.size(), kLongestUnigramPiece));
    }
    entries.push_back({piece, id});
  }
  trie_ = PieceTrie(std::move(entries));
}

// Names of control tokens divide the text, whatever other pieces would cover them.
void UnigramTokenizer::EncodeNormalized(std::string_view text, ControlTokens control,
                                        std::vector<TokenId>& ids) const {
  const auto is_control = [&](TokenId id) { return IsControl(id); };
  size_t begin = 0;
  for (size_t at = 0; control == ControlTokens::kParse && at < text.size();) {
    if (const auto match = matcher().At(text, at, is_control)) {
      EncodeGap(text.substr(begin, at - begin), ids);
      ids.push_back(match->id);
      begin = at += match->size;
    } else {
      ++at;
    }
  }
  EncodeGap(text.substr(begin), ids);
}

void UnigramTokenizer::EncodeGap(std::string_view text, std::vector<TokenId>& ids) const {
  const auto score = [&](TokenId id, size_t size) -> std::optional<double> {
    if (IsControl(id)) return std::nullopt;
    if (model().Type(id) == PieceType::kNormal) return model().Score(id);
    // User-defined: better than other divisions of the same text, as normal scores are below 0.
    return static_cast<float>(size) * highest_ - 0.1;
  };
  const size_t start = ids.size();
  for (const UnigramPart& part : DivideByScores(text, trie_, score, lowest_ - kUnknownPenalty)) {
    if (part.id >= 0) {
      ids.push_back(part.id);
    } else {
      AppendUnknown(text.substr(part.begin, part.size), start, ids);
    }
  }
}

}  // namespace

std::unique_ptr<Tokenizer> NewUnigramTokenizer(SentencePieceModel model, std::string_view where) {
  return std::make_unique<UnigramTokenizer>(std::move(model), where);
}

}  // namespace litertlm
