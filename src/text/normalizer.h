// Normalization of text before it is cut into words.
#ifndef LITERTLM_TEXT_NORMALIZER_H_
#define LITERTLM_TEXT_NORMALIZER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "text/character_map.h"

namespace litertlm {

// Texts must be valid UTF-8.

enum class UnicodeForm { kC, kD, kKC, kKD };
std::string NormalizeUnicode(std::string_view text, UnicodeForm form);

/// Without combining marks.
std::string WithoutMarks(std::string_view text);
/// Each character by itself: a final sigma is not seen as such.
std::string LowerCase(std::string_view text);

/// White space is what Unicode calls so.
std::string_view WithoutSpacesAround(std::string_view text, bool left, bool right);
/// The words between white space; they are views of `text`.
std::vector<std::string_view> SplitAtWhiteSpace(std::string_view text);

/// By the rules of a SentencePiece model, as Hugging Face's library applies them: not to any
/// characters in a row, but to those of a grapheme of less than six bytes, or else to single ones.
/// A rule for the first of them takes the whole grapheme's place.
std::string ReplaceGraphemes(std::string_view text, const CharacterMap& rules);

/// Every occurrence of `pattern` (not empty) becomes `content`.
std::string ReplaceAll(std::string_view text, std::string_view pattern, std::string_view content);

/// What one step may put in, in bytes.
inline constexpr size_t kMaxInsertion = 64;
/// Throws kBadInput if normalization has made much more of a text than any real one does: steps
/// that multiply a text again and again would soon need all memory. Throws kUsage above 4 GiB, as
/// positions have 32 bits.
void CheckNormalizedSize(size_t normalized, size_t given);

/// Changes a text in place. `first` is true for the beginning of a text, false behind an added
/// token.
using NormalizerStep = std::function<void(std::string& text, bool first)>;

}  // namespace litertlm

#endif  // LITERTLM_TEXT_NORMALIZER_H_
