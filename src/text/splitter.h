// Pre-tokenization: a text is cut into words that are encoded one by one.
#ifndef LITERTLM_TEXT_SPLITTER_H_
#define LITERTLM_TEXT_SPLITTER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace litertlm {

/// What becomes of the stretches that a pattern matches, in Hugging Face's terms.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

/// Immutable; any thread may use it.
class Splitter {
 public:
  virtual ~Splitter() = default;
  /// Appends the pieces of `text`, which must be valid UTF-8; they are views of it.
  virtual void Split(std::string_view text, std::vector<std::string_view>& pieces) const = 0;
};

/// By the matches of a Regex.
std::unique_ptr<Splitter> NewRegexSplitter(std::string pattern, SplitBehavior behavior,
                                           bool invert);
/// By a fixed string.
std::unique_ptr<Splitter> NewStringSplitter(std::string pattern, SplitBehavior behavior,
                                            bool invert);

/// The pattern of GPT-2, which ByteLevel applies by default.
extern const std::string_view kGpt2Pattern;

}  // namespace litertlm

#endif  // LITERTLM_TEXT_SPLITTER_H_
