// Normalization of text before it is cut into words.
#ifndef LITERTLM_TEXT_NORMALIZER_H_
#define LITERTLM_TEXT_NORMALIZER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace litertlm {

/// Unicode normalization form C. `text` must be valid UTF-8.
std::string Nfc(std::string_view text);

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
