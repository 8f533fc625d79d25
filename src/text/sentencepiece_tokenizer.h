// What SentencePiece's tokenizers have in common.
#ifndef LITERTLM_TEXT_SENTENCEPIECE_TOKENIZER_H_
#define LITERTLM_TEXT_SENTENCEPIECE_TOKENIZER_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/control_set.h"
#include "text/piece_matcher.h"
#include "text/sentencepiece_model.h"
#include "text/tokenizer.h"

namespace litertlm {

/// Normalizes text, spells tokens out. How normalized text is divided is the algorithm's affair.
class SentencePieceTokenizer : public Tokenizer {
 public:
  explicit SentencePieceTokenizer(SentencePieceModel model);

  using Tokenizer::Encode;
  void Encode(std::string_view text, ControlTokens control, std::vector<TokenId>& ids) const final;
  std::string TokenBytes(TokenId id) const final;
  std::optional<TokenId> Find(std::string_view piece) const final {
    return model_.vocabulary.Find(piece);
  }
  bool IsControl(TokenId id) const final { return control_.Has(id); }
  void MarkControl(TokenId id) final { control_.Add(id); }
  int size() const final { return model_.vocabulary.size(); }

 protected:
  /// Appends the ids of text that is below 4 GiB.
  virtual void EncodeNormalized(std::string_view text, ControlTokens control,
                                std::vector<TokenId>& ids) const = 0;
  /// Appends what stands for a character without a piece: its bytes, or one unknown piece for all
  /// such characters in a row. The ids before `start` belong to other text.
  void AppendUnknown(std::string_view character, size_t start, std::vector<TokenId>& ids) const;

  const SentencePieceModel& model() const { return model_; }
  /// User-defined and control pieces: found in the text before it is divided.
  const PieceMatcher& matcher() const { return matcher_; }

 private:
  const SentencePieceModel model_;
  ControlSet control_;
  PieceMatcher matcher_;
};

/// Throws kUnsupported, naming `where`, for pieces of absurd length.
std::unique_ptr<Tokenizer> NewUnigramTokenizer(SentencePieceModel model, std::string_view where);
std::unique_ptr<Tokenizer> NewBpeTokenizer(SentencePieceModel model);

}  // namespace litertlm

#endif  // LITERTLM_TEXT_SENTENCEPIECE_TOKENIZER_H_
