#include "jinja/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/utf8.h"
#include "jinja/execution.h"

namespace litertlm::jinja {
namespace {

constexpr std::string_view kSpace = " \t\n\r\v\f";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// One kind of line break, and none at the end.
std::string Normalized(std::string_view source) {
  std::string result;
  result.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n') continue;
    result += source[i] == '\r' ? '\n' : source[i];
  }
  if (result.ends_with('\n')) result.pop_back();
  return result;
}

class Lexer {
 public:
  Lexer(std::string_view source, std::string_view where)
      : source_(Normalized(source)), where_(where) {}

  std::vector<Token> Run() {
    while (at_ < source_.size()) {
      const size_t tag = FindTag();
      if (tag == std::string::npos) {
        Add(TokenKind::kData, source_.substr(at_));
        Advance(source_.size());
        break;
      }
      ReadTag(tag);
    }
    Add(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void Fail(std::string_view what) const { FailAt(where_, line_, what); }

  bool Sees(std::string_view text) const {
    return std::string_view(source_).substr(at_).starts_with(text);
  }

  void Advance(size_t to) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<ptrdiff_t>(at_),
                                         source_.begin() + static_cast<ptrdiff_t>(to), '\n'));
    at_ = to;
  }

  void SkipSpace() {
    const size_t end = source_.find_first_not_of(kSpace, at_);
    Advance(end == std::string::npos ? source_.size() : end);
  }

  void Add(TokenKind kind, std::string text) {
    if (kind == TokenKind::kData && text.empty()) return;
    tokens_.push_back({kind, std::move(text), line_});
  }

  size_t FindTag() const {
    for (size_t i = source_.find('{', at_); i != std::string::npos; i = source_.find('{', i + 1)) {
      if (i + 1 < source_.size() && std::string_view("{%#").find(source_[i + 1]) < 3) return i;
    }
    return std::string::npos;
  }

  // The data before a tag, without the white space that the tag strips.
  void AddData(size_t tag, char sign, bool block) {
    std::string_view data = std::string_view(source_).substr(at_, tag - at_);
    if (sign == '-') {
      data = data.substr(0, data.find_last_not_of(kSpace) + 1);
    } else if (sign != '+' && block) {
      const size_t line_break = data.rfind('\n');
      const size_t begin = line_break == std::string_view::npos ? 0 : line_break + 1;
      const bool blank = data.find_first_not_of(kSpace, begin) == std::string_view::npos;
      if (blank && (begin > 0 || at_line_start_)) data = data.substr(0, begin);
    }
    Add(TokenKind::kData, std::string(data));
    Advance(tag);
  }

  void ReadTag(size_t tag) {
    const char type = source_[tag + 1];
    AddData(tag, SignAt(tag + 2), type != '{');
    if (const auto raw = type == '%' ? MatchTag(tag, "raw") : std::nullopt) {
      ReadRaw(*raw);
      return;
    }
    Advance(tag + 2 + (SignAt(tag + 2) != '\0' ? 1 : 0));
    if (type == '#') {
      SkipComment();
    } else if (type == '%') {
      Add(TokenKind::kBlockBegin, "");
      while (!EndTag("%}")) ReadToken();
      Add(TokenKind::kBlockEnd, "");
    } else {
      Add(TokenKind::kPrintBegin, "");
      while (!EndTag("}}")) ReadToken();
      Add(TokenKind::kPrintEnd, "");
    }
  }

  // '-' or '+', else '\0'.
  char SignAt(size_t i) const {
    return i < source_.size() && (source_[i] == '-' || source_[i] == '+') ? source_[i] : '\0';
  }

  // Takes the end of a tag and the white space that it strips. True if it is there.
  bool EndTag(std::string_view end) {
    SkipSpace();
    if (at_ == source_.size()) {
      Fail(fmt::format("the template ends within a tag; '{}' is missing", end));
    }
    if (!open_.empty()) return false;
    const char sign = SignAt(at_);
    if (sign == '+' && end == "}}") return false;
    if (source_.compare(at_ + (sign != '\0' ? 1 : 0), end.size(), end) != 0) return false;
    Advance(at_ + (sign != '\0' ? 1 : 0) + end.size());
    StripAfter(sign, /*block=*/end == "%}");
    return true;
  }

  void StripAfter(char sign, bool block) {
    if (sign == '-') {
      SkipSpace();
    } else if (sign != '+' && block && at_ < source_.size() && source_[at_] == '\n') {
      Advance(at_ + 1);
    }
    at_line_start_ = source_[at_ - 1] == '\n';
  }

  void SkipComment() {
    const size_t end = source_.find("#}", at_);
    if (end == std::string::npos) Fail("a comment is not closed by '#}'");
    const char sign = end > at_ ? SignAt(end - 1) : '\0';
    Advance(end + 2);
    StripAfter(sign, /*block=*/true);
  }

  struct WordTag {
    size_t end;  // Behind "%}".
    char sign;   // In front of it.
  };

  // "{% word %}" at `tag`, if that is there.
  std::optional<WordTag> MatchTag(size_t tag, std::string_view word) const {
    size_t i = tag + 2;
    const auto skip = [&](bool sign, std::string_view text) {
      if (sign && SignAt(i) != '\0') ++i;
      if (text.empty()) i = std::min(source_.find_first_not_of(kSpace, i), source_.size());
      if (source_.compare(i, text.size(), text) != 0) return false;
      i += text.size();
      return true;
    };
    if (!skip(true, "") || !skip(false, word) || !skip(false, "")) return std::nullopt;
    const char sign = SignAt(i);
    if (!skip(true, "%}")) return std::nullopt;
    return WordTag{i, sign};
  }

  void ReadRaw(const WordTag& raw) {
    Advance(raw.end);
    StripAfter(raw.sign, /*block=*/false);
    for (size_t tag = source_.find("{%", at_); tag != std::string::npos;
         tag = source_.find("{%", tag + 2)) {
      const auto end = MatchTag(tag, "endraw");
      if (!end) continue;
      AddData(tag, SignAt(tag + 2), /*block=*/true);
      Advance(end->end);
      StripAfter(end->sign, /*block=*/true);
      return;
    }
    Fail("a raw block is not closed by endraw");
  }

  void ReadToken() {
    const char c = source_[at_];
    if (IsNameStart(c)) {
      size_t end = at_;
      while (end < source_.size() && (IsNameStart(source_[end]) || IsDigit(source_[end]))) ++end;
      Take(TokenKind::kName, end);
    } else if (IsDigit(c)) {
      ReadNumber();
    } else if (c == '"' || c == '\'') {
      ReadString(c);
    } else {
      ReadSymbol();
    }
  }

  void Take(TokenKind kind, size_t end) {
    Add(kind, source_.substr(at_, end - at_));
    Advance(end);
  }

  void ReadNumber() {
    const auto digits = [&](size_t from) {
      while (from < source_.size() && (IsDigit(source_[from]) || source_[from] == '_')) ++from;
      return from;
    };
    const auto digit_at = [&](size_t i) { return i < source_.size() && IsDigit(source_[i]); };
    size_t end = digits(at_);
    TokenKind kind = TokenKind::kInteger;
    // After a dot it is an index: in a.0.1 there is no 0.1.
    const bool index =
        !tokens_.empty() && tokens_.back().kind == TokenKind::kSymbol && tokens_.back().text == ".";
    if (!index && end < source_.size() && source_[end] == '.' && digit_at(end + 1)) {
      kind = TokenKind::kFloat;
      end = digits(end + 1);
    }
    if (!index && end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      const size_t sign =
          end + 1 < source_.size() && (source_[end + 1] == '-' || source_[end + 1] == '+');
      if (digit_at(end + 1 + sign)) {
        kind = TokenKind::kFloat;
        end = digits(end + 1 + sign);
      }
    }
    Take(kind, end);
    std::erase(tokens_.back().text, '_');
  }

  void ReadString(char quote) {
    std::string text;
    size_t i = at_ + 1;
    for (; i < source_.size() && source_[i] != quote; ++i) {
      if (source_[i] == '\\' && i + 1 < source_.size()) {
        i = ReadEscape(i + 1, text);
      } else {
        text += source_[i];
      }
    }
    if (i == source_.size()) Fail("a string is not closed");
    Add(TokenKind::kString, std::move(text));
    Advance(i + 1);
  }

  // Appends what the escape at `i`, behind the backslash, stands for; returns its last byte.
  size_t ReadEscape(size_t i, std::string& text) {
    static constexpr std::string_view kLetters = "ntrbfva\\'\"0";
    static constexpr std::string_view kMeanings("\n\t\r\b\f\v\a\\'\"\0", 11);
    const char c = source_[i];
    const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (const size_t letter = kLetters.find(c); letter != std::string_view::npos) {
      text += kMeanings[letter];
    } else if (digits > 0) {
      const std::string hex = source_.substr(i + 1, digits);
      if (hex.size() != digits ||
          hex.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
        Fail(fmt::format("\\{} in a string needs {} hexadecimal digits", c, digits));
      }
      AppendUtf8(static_cast<char32_t>(std::strtoul(hex.c_str(), nullptr, 16)), text);
    } else if (c != '\n') {
      text += '\\';
      text += c;
    }
    return i + digits;
  }

  void ReadSymbol() {
    static constexpr std::string_view kPairs[] = {"**", "//", "==", "!=", "<=", ">="};
    size_t length = 1;
    for (const std::string_view pair : kPairs) {
      if (Sees(pair)) length = 2;
    }
    const char c = source_[at_];
    if (length == 1 && std::string_view("+-*/%~<>=|.:,()[]{}").find(c) == std::string_view::npos) {
      Fail(fmt::format("'{}' means nothing in a tag", Printable(c)));
    }
    if (std::string_view("([{").find(c) != std::string_view::npos) open_ += c;
    if (std::string_view(")]}").find(c) != std::string_view::npos) {
      const char opener = c == ')' ? '(' : c == ']' ? '[' : '{';
      if (!open_.ends_with(opener)) Fail(fmt::format("'{}' closes nothing", c));
      open_.pop_back();
    }
    Take(TokenKind::kSymbol, at_ + length);
  }

  static std::string Printable(char c) {
    if (c >= ' ' && c <= '~') return std::string(1, c);
    return fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }

  std::string source_;
  std::string_view where_;
  size_t at_ = 0;
  int line_ = 1;
  bool at_line_start_ = true;  // What came before ended with a line break.
  std::string open_;           // Brackets: within them "}}" is no end.
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> Lex(std::string_view source, std::string_view where) {
  return Lexer(source, where).Run();
}

}  // namespace litertlm::jinja
