#include "text/splitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "litertlm/error.h"

namespace litertlm {
namespace {

struct Range {
  size_t begin, end;
  bool match;
};

// Turns the matches of a pattern (in order, not overlapping) into pieces.
class PieceWriter {
 public:
  PieceWriter(std::string_view text, SplitBehavior behavior, bool invert,
              std::vector<std::string_view>& pieces)
      : text_(text), behavior_(behavior), invert_(invert), pieces_(pieces) {}

  void Match(size_t begin, size_t end) {
    if (begin > position_) Add({position_, begin, invert_});
    if (end > begin) Add({begin, end, !invert_});
    position_ = end;
  }
  void Finish() {
    if (position_ < text_.size()) Add({position_, text_.size(), invert_});
    Flush();
  }

 private:
  // Holds one range back, in case the next joins it.
  void Add(Range range) {
    const bool joins =
        held_.end > held_.begin &&
        ((behavior_ == SplitBehavior::kMergedWithPrevious && range.match && !held_.match) ||
         (behavior_ == SplitBehavior::kMergedWithNext && held_.match && !range.match) ||
         (behavior_ == SplitBehavior::kContiguous && held_.match == range.match));
    if (joins) {
      held_.end = range.end;
      // What was joined is complete: a second match stands alone.
      if (behavior_ != SplitBehavior::kContiguous) {
        held_.match = behavior_ == SplitBehavior::kMergedWithPrevious;
      }
      return;
    }
    Flush();
    if (range.match && behavior_ == SplitBehavior::kRemoved) return;
    held_ = range;
  }
  void Flush() {
    if (held_.end > held_.begin) {
      pieces_.push_back(text_.substr(held_.begin, held_.end - held_.begin));
    }
    held_ = {};
  }

  const std::string_view text_;
  const SplitBehavior behavior_;
  const bool invert_;
  std::vector<std::string_view>& pieces_;
  size_t position_ = 0;
  Range held_ = {};
};

class RegexSplitter : public Splitter {
 public:
  RegexSplitter(std::string pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}
  ~RegexSplitter() override { pcre2_code_free(code_); }

  void Split(std::string_view text, std::vector<std::string_view>& pieces) const override {
    std::call_once(once_, [this] { Compile(); });
    const std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> match(
        pcre2_match_data_create_from_pattern(code_, nullptr), pcre2_match_data_free);
    PieceWriter writer(text, behavior_, invert_, pieces);
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
      writer.Match(ends[0], ends[1]);
      position = ends[1];
    }
    writer.Finish();
  }

 private:
  // Real patterns look at each character of a word a few times. Those that go through all ways to
  // divide it would never end.
  static uint32_t MostSteps(size_t size) {
    return static_cast<uint32_t>(std::min<size_t>(10'000 + 100 * size, UINT32_MAX));
  }

  void Compile() const {
    int error = 0;
    PCRE2_SIZE offset = 0;
    const std::string pattern = PatternForPcre2(pattern_);
    // \C is a part of a character: the pieces would not be UTF-8.
    code_ =
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                      PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
    if (code_ == nullptr) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("The tokenizer's pattern {} is not supported (PCRE2 error {} at {}).",
                              pattern_, error, offset));
    }
    // Without JIT (a hardened kernel may forbid it) matching is slower, not different.
    pcre2_jit_compile(code_, PCRE2_JIT_COMPLETE);
  }

  const std::string pattern_;
  const SplitBehavior behavior_;
  const bool invert_;
  mutable std::once_flag once_;
  mutable pcre2_code* code_ = nullptr;
};

class StringSplitter : public Splitter {
 public:
  StringSplitter(std::string pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  void Split(std::string_view text, std::vector<std::string_view>& pieces) const override {
    PieceWriter writer(text, behavior_, invert_, pieces);
    for (size_t at = text.find(pattern_); at != std::string_view::npos;
         at = text.find(pattern_, at + pattern_.size())) {
      writer.Match(at, at + pattern_.size());
    }
    writer.Finish();
  }

 private:
  const std::string pattern_;
  const SplitBehavior behavior_;
  const bool invert_;
};

}  // namespace

const std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

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

std::unique_ptr<Splitter> NewRegexSplitter(std::string pattern, SplitBehavior behavior,
                                           bool invert) {
  return std::make_unique<RegexSplitter>(std::move(pattern), behavior, invert);
}

std::unique_ptr<Splitter> NewStringSplitter(std::string pattern, SplitBehavior behavior,
                                            bool invert) {
  if (pattern.empty())
    throw Error(ErrorCode::kBadInput, "A Split by an empty string is not valid.");
  return std::make_unique<StringSplitter>(std::move(pattern), behavior, invert);
}

}  // namespace litertlm
