// Normalization of text before it is cut into words, as tokenizer.json describes it.
#ifndef LITERTLM_TEXT_NORMALIZER_H_
#define LITERTLM_TEXT_NORMALIZER_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace litertlm {

/// Unicode normalization form C. `text` must be valid UTF-8.
std::string Nfc(std::string_view text);

/// Every occurrence of `pattern` (not empty) becomes `content`.
std::string ReplaceAll(std::string_view text, std::string_view pattern, std::string_view content);

/// Changes a text in place. `first` is true for the beginning of a text, false behind an added
/// token.
using NormalizerStep = std::function<void(std::string& text, bool first)>;

}  // namespace litertlm

#endif  // LITERTLM_TEXT_NORMALIZER_H_
