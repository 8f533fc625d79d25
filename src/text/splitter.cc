#include "text/splitter.h"

#include <utility>

#include "litertlm/error.h"
#include "text/regex.h"

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
      : regex_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  void Split(std::string_view text, std::vector<std::string_view>& pieces) const override {
    PieceWriter writer(text, behavior_, invert_, pieces);
    regex_.ForEachMatch(text, [&](size_t begin, size_t end) { writer.Match(begin, end); });
    writer.Finish();
  }

 private:
  const Regex regex_;
  const SplitBehavior behavior_;
  const bool invert_;
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
