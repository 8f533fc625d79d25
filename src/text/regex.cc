#include "text/regex.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "litertlm/error.h"

namespace litertlm {
namespace {

// Real patterns look at each character of a word a few times. Those that go through all ways to
// divide it would never end.
uint32_t MostSteps(size_t size) {
  return static_cast<uint32_t>(std::min<size_t>(10'000 + 100 * size, UINT32_MAX));
}

}  // namespace

Regex::~Regex() { pcre2_code_free(code_); }

void Regex::ForEachMatch(std::string_view text,
                         const std::function<void(size_t begin, size_t end)>& visit) const {
  std::call_once(once_, [this] { Compile(); });
  const std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> match(
      pcre2_match_data_create_from_pattern(code_, nullptr), pcre2_match_data_free);
  const std::unique_ptr<pcre2_match_context, void (*)(pcre2_match_context*)> limits(
      pcre2_match_context_create(nullptr), pcre2_match_context_free);
  pcre2_set_match_limit(limits.get(), MostSteps(text.size()));
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  for (size_t position = 0; position < text.size();) {
    const int count = pcre2_match(code_, subject, text.size(), position, PCRE2_NO_UTF_CHECK,
                                  match.get(), limits.get());
    if (count == PCRE2_ERROR_NOMATCH) break;
    if (count < 0) {
      throw Error(ErrorCode::kBadInput,
                  fmt::format("The tokenizer's pattern cannot be applied to a text of {} bytes "
                              "(PCRE2 error {}).",
                              text.size(), count));
    }
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(match.get());
    // An empty match cuts nothing; go on behind the next character. \K may turn a match around.
    if (ends[1] <= ends[0] || ends[0] < position) {
      position = std::max(position, ends[1]) + 1;
      while (position < text.size() && (static_cast<uint8_t>(text[position]) & 0xC0) == 0x80) {
        ++position;
      }
      continue;
    }
    visit(ends[0], ends[1]);
    position = ends[1];
  }
}

void Regex::Compile() const {
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::string pattern = PatternForPcre2(pattern_);
  // \C is a part of a character: the pieces would not be UTF-8.
  code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                        PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (code_ == nullptr) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("The tokenizer's pattern {} is not supported (PCRE2 error {} at {}).",
                            pattern_, error, offset));
  }
  // Without JIT (a hardened kernel may forbid it) matching is slower, not different.
  pcre2_jit_compile(code_, PCRE2_JIT_COMPLETE);
}

std::string PatternForPcre2(std::string_view pattern) {
  constexpr std::string_view kSpaces = R"(\p{Z}\t\n\x{0b}\f\r\x{85})";
  std::string result;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      if (next == 's') {
        result += in_class ? std::string(kSpaces) : fmt::format("[{}]", kSpaces);
      } else if (next == 'S' && !in_class) {
        result += fmt::format("[^{}]", kSpaces);
      } else {
        result += '\\';
        result += next;
      }
      continue;
    }
    if (pattern[i] == '[') in_class = true;
    if (pattern[i] == ']') in_class = false;
    result += pattern[i];
  }
  return result;
}

}  // namespace litertlm
