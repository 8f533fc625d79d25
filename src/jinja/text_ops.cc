#include "jinja/text_ops.h"

#include <utf8proc.h>

#include <algorithm>
#include <string>

#include "base/utf8.h"

namespace litertlm::jinja {
namespace {

std::u32string Characters(const Text& text) {
  std::u32string characters;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = DecodeUtf8(text.bytes(), i);
    characters += c.code;
    i += c.length;
  }
  return characters;
}

// Each character changed by `change`, which is told the character before.
template <class Change>
Text Changed(const Text& text, const Change& change) {
  Text result;
  char32_t before = 0;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = DecodeUtf8(text.bytes(), i);
    if (c.valid) {
      std::string bytes;
      AppendUtf8(change(before, c.code, i == 0), bytes);
      result.Append(bytes, text.origin(i));
    } else {
      result.Append(text.Sub(i, c.length));
    }
    before = c.code;
    i += c.length;
  }
  return result;
}

char32_t UpperOf(char32_t code) {
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code)));
}
char32_t LowerOf(char32_t code) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code)));
}

std::vector<Text> SplitAtSpace(const Text& text, int64_t limit, bool from_right) {
  struct Word {
    size_t begin, end;
  };
  std::vector<Word> words;
  const std::vector<size_t> starts = CharacterStarts(text);
  for (size_t i = 0; i + 1 < starts.size(); ++i) {
    if (IsSpace(DecodeUtf8(text.bytes(), starts[i]).code)) continue;
    if (words.empty() || words.back().end != starts[i]) words.push_back({starts[i], 0});
    words.back().end = starts[i + 1];
  }
  if (limit >= 0 && words.size() > static_cast<size_t>(limit)) {
    // The words left over are one piece, with all white space behind them (before them).
    const auto cuts = static_cast<ptrdiff_t>(limit);
    if (from_right) {
      words.erase(words.begin(), words.end() - cuts - 1);
      words.front().begin = 0;
    } else {
      words.resize(static_cast<size_t>(limit) + 1);
      words.back().end = text.size();
    }
  }
  std::vector<Text> pieces;
  for (const Word& word : words) pieces.push_back(text.Sub(word.begin, word.end - word.begin));
  return pieces;
}

}  // namespace

std::vector<size_t> CharacterStarts(const Text& text) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < text.size(); i += DecodeUtf8(text.bytes(), i).length) starts.push_back(i);
  starts.push_back(text.size());
  return starts;
}

bool IsSpace(char32_t code) {
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 ||
         code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
         code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool IsLetter(char32_t code) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool IsUpper(char32_t code) { return LowerOf(code) != code; }
bool IsLower(char32_t code) { return UpperOf(code) != code; }

Text Strip(const Text& text, const Text* chars, Sides sides) {
  std::u32string set = chars != nullptr ? Characters(*chars) : std::u32string();
  std::sort(set.begin(), set.end());
  const auto strips = [&](size_t start) {
    const char32_t code = DecodeUtf8(text.bytes(), start).code;
    return chars != nullptr ? std::binary_search(set.begin(), set.end(), code) : IsSpace(code);
  };
  const std::vector<size_t> starts = CharacterStarts(text);
  size_t begin = 0;
  size_t end = starts.size() - 1;
  if (sides != Sides::kRight) {
    while (begin < end && strips(starts[begin])) ++begin;
  }
  if (sides != Sides::kLeft) {
    while (end > begin && strips(starts[end - 1])) --end;
  }
  return text.Sub(starts[begin], starts[end] - starts[begin]);
}

std::vector<Text> Split(Execution& run, const Text& text, const Text* separator, int64_t limit,
                        bool from_right) {
  run.Scan(text.size());
  if (separator == nullptr) return SplitAtSpace(text, limit, from_right);
  if (separator->empty()) run.Fail("a string is split at an empty separator");
  std::vector<size_t> cuts;
  if (from_right) {
    for (size_t end = text.size(); limit < 0 || cuts.size() < static_cast<size_t>(limit);) {
      const size_t cut = text.bytes().substr(0, end).rfind(separator->bytes());
      // Each search may compare the whole separator at every place.
      run.Step(1 + (end / 64 + 1) * (separator->size() / 64 + 1));
      if (cut == std::string::npos) break;
      cuts.push_back(cut);
      end = cut;
    }
    std::reverse(cuts.begin(), cuts.end());
  } else {
    for (size_t from = 0; limit < 0 || cuts.size() < static_cast<size_t>(limit);) {
      const size_t cut = FindBytes(text.bytes(), separator->bytes(), from);
      if (cut == std::string::npos) break;
      run.Step();
      cuts.push_back(cut);
      from = cut + separator->size();
    }
  }
  std::vector<Text> pieces;
  size_t begin = 0;
  for (const size_t cut : cuts) {
    pieces.push_back(text.Sub(begin, cut - begin));
    begin = cut + separator->size();
  }
  pieces.push_back(text.Sub(begin));
  run.Make(pieces.size() * sizeof(Text));
  return pieces;
}

std::vector<Text> SplitLines(const Text& text) {
  std::vector<Text> lines;
  const std::string_view bytes = text.bytes();
  for (size_t begin = 0; begin < bytes.size();) {
    const size_t end = std::min(bytes.find_first_of("\r\n", begin), bytes.size());
    lines.push_back(text.Sub(begin, end - begin));
    begin = end + (bytes.substr(end).starts_with("\r\n") ? 2 : 1);
  }
  return lines;
}

Text Replace(Execution& run, const Text& text, const Text& old_part, const Text& new_part,
             int64_t limit) {
  run.Scan(text.size());
  Text result;
  size_t begin = 0;
  size_t from = 0;
  for (int64_t count = 0; limit < 0 || count < limit; ++count) {
    const size_t found = FindBytes(text.bytes(), old_part.bytes(), from);
    if (found == std::string::npos) break;
    run.Step();
    run.Make(new_part.size());
    result.Append(text.Sub(begin, found - begin));
    result.Append(new_part);
    begin = found + old_part.size();
    from = begin;
    if (old_part.empty()) {
      // An empty part stands before each character and at the end.
      if (found == text.size()) break;
      from = found + DecodeUtf8(text.bytes(), found).length;
    }
  }
  result.Append(text.Sub(begin));
  return result;
}

Text Upper(const Text& text) {
  return Changed(text, [](char32_t, char32_t code, bool) { return UpperOf(code); });
}

Text Lower(const Text& text) {
  return Changed(text, [](char32_t, char32_t code, bool) { return LowerOf(code); });
}

Text Capitalized(const Text& text) {
  return Changed(text, [](char32_t, char32_t code, bool first) {
    return first ? UpperOf(code) : LowerOf(code);
  });
}

Text Titled(const Text& text, bool (*starts_word)(char32_t before)) {
  return Changed(text, [&](char32_t before, char32_t code, bool first) {
    return first || starts_word(before) ? UpperOf(code) : LowerOf(code);
  });
}

}  // namespace litertlm::jinja
