// Cuts a text that a tokenizer would merge as one long word.
#ifndef LITERTLM_TEXT_WORD_CUTTER_H_
#define LITERTLM_TEXT_WORD_CUTTER_H_

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

#include "text/vocabulary.h"

namespace litertlm {

/// Cuts in front of space marks, but only where no piece could span the cut: the tokens stay what
/// they are for the whole text. (Gemma, for instance, has one piece with a space mark in its
/// middle, ">_</"; so there is no cut between ">" and a mark.)
class WordCutter {
 public:
  /// Never cuts.
  WordCutter() = default;
  /// `mark` is what stands for a space in the vocabulary, such as "▁".
  WordCutter(const Vocabulary& vocabulary, std::string_view mark) {
    if (!vocabulary.Find(mark)) return;  // Unknown marks may join with unknown neighbours.
    mark_ = mark;
    for (TokenId id = 0; id < vocabulary.size(); ++id) {
      const std::string_view piece = vocabulary.Piece(id);
      for (size_t at = piece.find(mark); at != std::string_view::npos;
           at = piece.find(mark, at + mark.size())) {
        if (at > 0) spanned_.set(static_cast<uint8_t>(piece[at - 1]));
      }
    }
  }

  /// Calls `visit` with each word of `text`, in order; together they are the text.
  template <typename Visit>
  void ForEach(std::string_view text, Visit visit) const {
    size_t begin = 0;
    if (!mark_.empty()) {
      for (size_t at = text.find(mark_, 1); at != std::string_view::npos;
           at = text.find(mark_, at + mark_.size())) {
        if (spanned_[static_cast<uint8_t>(text[at - 1])]) continue;
        visit(text.substr(begin, at - begin));
        begin = at;
      }
    }
    if (begin < text.size()) visit(text.substr(begin));
  }

 private:
  std::string mark_;
  std::bitset<256> spanned_;  // The bytes that stand before a mark within a piece.
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_WORD_CUTTER_H_
