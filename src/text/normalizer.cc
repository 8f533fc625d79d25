#include "text/normalizer.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "base/utf8.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

// Calls `visit(code, bytes)`.
template <typename Visit>
void ForEachCharacter(std::string_view text, Visit visit) {
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = DecodeUtf8(text, at);
    visit(c.code, text.substr(at, c.length));
    at += c.length;
  }
}

bool IsWhiteSpace(char32_t code) {
  return (code >= 0x09 && code <= 0x0D) || code == ' ' || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

}  // namespace

std::string NormalizeUnicode(std::string_view text, UnicodeForm form) {
  // Characters below U+0300 neither combine nor decompose in form C; their first bytes are below
  // 0xCC. In the others this is true of ASCII. Most text ends here.
  const unsigned char first_changed = form == UnicodeForm::kC ? 0xCC : 0x80;
  const bool plain = std::ranges::all_of(
      text, [&](char c) { return static_cast<unsigned char>(c) < first_changed; });
  if (plain) return std::string(text);
  const bool composed = form == UnicodeForm::kC || form == UnicodeForm::kKC;
  const bool compatible = form == UnicodeForm::kKC || form == UnicodeForm::kKD;
  const int options = UTF8PROC_STABLE | (composed ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) |
                      (compatible ? UTF8PROC_COMPAT : 0);
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                             static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(mapped, std::free);
  if (size < 0) {
    throw Error(ErrorCode::kInternal,
                fmt::format("Unicode normalization failed: {}.", utf8proc_errmsg(size)));
  }
  return {reinterpret_cast<const char*>(mapped), static_cast<size_t>(size)};
}

std::string WithoutMarks(std::string_view text) {
  std::string result;
  ForEachCharacter(text, [&](char32_t code, std::string_view bytes) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
    if (category < UTF8PROC_CATEGORY_MN || category > UTF8PROC_CATEGORY_ME) result += bytes;
  });
  return result;
}

std::string LowerCase(std::string_view text) {
  constexpr char32_t kDottedI = 0x130;  // The only one that becomes two characters.
  std::string result;
  ForEachCharacter(text, [&](char32_t code, std::string_view) {
    AppendUtf8(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))),
               result);
    if (code == kDottedI) result += "\u0307";
  });
  return result;
}

std::vector<std::string_view> SplitAtWhiteSpace(std::string_view text) {
  std::vector<std::string_view> words;
  size_t begin = 0;  // Of the word that goes on.
  size_t at = 0;
  const auto end_word = [&] {
    if (at > begin) words.push_back(text.substr(begin, at - begin));
  };
  ForEachCharacter(text, [&](char32_t code, std::string_view bytes) {
    if (IsWhiteSpace(code)) {
      end_word();
      begin = at + bytes.size();
    }
    at += bytes.size();
  });
  end_word();
  return words;
}

std::string_view WithoutSpacesAround(std::string_view text, bool left, bool right) {
  const std::vector<std::string_view> words = SplitAtWhiteSpace(text);
  if (words.empty()) return left || right ? std::string_view() : text;
  const char* begin = left ? words.front().data() : text.data();
  const char* end = right ? words.back().data() + words.back().size() : text.data() + text.size();
  return {begin, static_cast<size_t>(end - begin)};
}

std::string ReplaceGraphemes(std::string_view text, const CharacterMap& rules) {
  constexpr size_t kLongestReplaced = 5;
  std::string result;
  const auto replace_grapheme = [&](std::string_view grapheme) {
    CheckNormalizedSize(result.size(), text.size());
    if (grapheme.size() <= kLongestReplaced) {
      if (const auto rule = rules.Shortest(grapheme)) {
        result += rule->replacement;
        return;
      }
    }
    ForEachCharacter(grapheme, [&](char32_t, std::string_view bytes) {
      const auto rule = rules.Shortest(bytes);
      result += rule ? rule->replacement : bytes;
    });
  };
  size_t begin = 0;  // Of the grapheme that goes on.
  size_t at = 0;
  utf8proc_int32_t before = 0;
  utf8proc_int32_t state = 0;
  ForEachCharacter(text, [&](char32_t code, std::string_view bytes) {
    const auto character = static_cast<utf8proc_int32_t>(code);
    if (at > 0 && utf8proc_grapheme_break_stateful(before, character, &state)) {
      replace_grapheme(text.substr(begin, at - begin));
      begin = at;
    }
    before = character;
    at += bytes.size();
  });
  replace_grapheme(text.substr(begin));
  return result;
}

std::string ReplaceAll(std::string_view text, std::string_view pattern, std::string_view content) {
  std::string result;
  size_t position = 0;
  for (size_t at = text.find(pattern); at != std::string_view::npos;
       at = text.find(pattern, position)) {
    result += text.substr(position, at - position);
    result += content;
    position = at + pattern.size();
  }
  result += text.substr(position);
  return result;
}

void CheckNormalizedSize(size_t normalized, size_t given) {
  // U+FDFA has 3 bytes and a compatible form of 33; its three spaces may become "▁".
  constexpr size_t kMaxGrowth = 16;
  if (normalized > kMaxGrowth * (given + kMaxInsertion)) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("The tokenizer's normalizer makes {} bytes of a text of {}.",
                            normalized, given),
                "Its file is damaged; fetch it again.");
  }
  if (normalized >= UINT32_MAX) {
    throw Error(ErrorCode::kUsage,
                fmt::format("A text of {} bytes, normalized {}, cannot be tokenized; the limit is "
                            "4 GiB.",
                            given, normalized));
  }
}

}  // namespace litertlm
