// What a SentencePiece model does to a text before it divides it into pieces.
#ifndef LITERTLM_TEXT_SENTENCEPIECE_NORMALIZER_H_
#define LITERTLM_TEXT_SENTENCEPIECE_NORMALIZER_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "text/character_map.h"
#include "text/piece_matcher.h"
#include "text/tokenizer.h"

namespace litertlm {

/// Stands for a space in the vocabulary.
inline constexpr std::string_view kSpaceMark = "\u2581";

/// The fields of the file, with the format's defaults.
struct SentencePieceNormalizer {
  std::optional<CharacterMap> characters;
  bool add_dummy_prefix = true;
  bool remove_extra_spaces = true;
  bool escape_spaces = true;
  bool space_as_suffix = false;  ///< The prefix becomes a suffix.

  /// Those of `pieces` that are `allowed` stay as they are. An invalid sequence of `text` becomes
  /// U+FFFD.
  std::string Normalize(std::string_view text, const PieceMatcher& pieces,
                        const std::function<bool(TokenId)>& allowed) const;
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_SENTENCEPIECE_NORMALIZER_H_
