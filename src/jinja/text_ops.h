// Operations on texts that filters and methods share. Each keeps the origin of every byte.
#ifndef LITERTLM_JINJA_TEXT_OPS_H_
#define LITERTLM_JINJA_TEXT_OPS_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "jinja/execution.h"
#include "jinja/text.h"

namespace litertlm::jinja {

/// Where each character begins, and at last the length.
std::vector<size_t> CharacterStarts(const Text& text);

/// White space of Python: that of Unicode, and four separators of ASCII.
bool IsSpace(char32_t code);
bool IsLetter(char32_t code);
bool IsUpper(char32_t code);
bool IsLower(char32_t code);

enum class Sides : uint8_t { kLeft = 1, kRight = 2, kBoth = 3 };
/// Without the characters of `chars`, white space if null, at its ends.
Text Strip(const Text& text, const Text* chars, Sides sides);

/// Pieces between the separators, at most `limit` cuts if that is not negative; cuts from the right
/// if `from_right`. Null separator: pieces between white space.
std::vector<Text> Split(Execution& run, const Text& text, const Text* separator, int64_t limit,
                        bool from_right = false);
std::vector<Text> SplitLines(const Text& text);

/// At most `limit` times if that is not negative.
Text Replace(Execution& run, const Text& text, const Text& old_part, const Text& new_part,
             int64_t limit);

Text Upper(const Text& text);
Text Lower(const Text& text);
/// First character upper, the others lower.
Text Capitalized(const Text& text);
/// Capitalized after each character for which `starts_word` holds, and at the beginning.
Text Titled(const Text& text, bool (*starts_word)(char32_t before));

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_TEXT_OPS_H_
