// UTF-8: decoding that never fails, and what is whole at the end of a stream.
#ifndef LITERTLM_BASE_UTF8_H_
#define LITERTLM_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace litertlm {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;
inline constexpr std::string_view kReplacementUtf8 = "\xEF\xBF\xBD";

struct Utf8Char {
  char32_t code;  ///< kReplacementCharacter where the bytes are not UTF-8.
  size_t length;  ///< Bytes consumed: at least 1.
  bool valid;
};

/// The character at `text[position]`, which must be inside the text. An invalid sequence is as long
/// as its maximal valid beginning (Unicode 15, section 3.9: U+FFFD substitution).
Utf8Char DecodeUtf8(std::string_view text, size_t position);

/// Appends a code point; surrogates and numbers above U+10FFFF become U+FFFD.
void AppendUtf8(char32_t code, std::string& out);

bool IsValidUtf8(std::string_view text);
/// The text with U+FFFD in place of each invalid sequence.
std::string ReplaceInvalidUtf8(std::string_view text);
/// Bytes before a character that more bytes could still complete.
size_t CompleteUtf8Prefix(std::string_view text);

}  // namespace litertlm

#endif  // LITERTLM_BASE_UTF8_H_
