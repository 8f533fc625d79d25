// A template's source as tokens: white space is controlled here, nothing else is decided.
#ifndef LITERTLM_JINJA_LEXER_H_
#define LITERTLM_JINJA_LEXER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace litertlm::jinja {

enum class TokenKind : uint8_t {
  kData,        ///< Text between tags.
  kBlockBegin,  ///< {%
  kBlockEnd,    ///< %}
  kPrintBegin,  ///< {{
  kPrintEnd,    ///< }}
  kName,
  kString,  ///< `text` without quotes and escapes.
  kInteger,
  kFloat,
  kSymbol,
  kEnd,
};

struct Token {
  TokenKind kind;
  std::string text;
  int line;
};

/// Comments are left out, raw blocks are data. As Hugging Face renders: a line break after a block
/// is dropped (trim_blocks), so is the white space between the beginning of a line and a block
/// (lstrip_blocks), and one line break at the end of the template. Throws kBadInput naming `where`
/// and the line.
std::vector<Token> Lex(std::string_view source, std::string_view where);

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_LEXER_H_
