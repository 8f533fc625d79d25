// Finds where a stream ends: at the first of several sequences, of tokens or of characters.
#ifndef LITERTLM_ENGINE_STOP_MATCHER_H_
#define LITERTLM_ENGINE_STOP_MATCHER_H_

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace litertlm {

/// Length of the longest end of `text` that is a beginning of `pattern`, but not all of it.
template <typename Sequence>
size_t Overlap(const Sequence& text, const Sequence& pattern) {
  if (pattern.empty()) return 0;
  for (size_t length = std::min(text.size(), pattern.size() - 1); length > 0; --length) {
    if (std::equal(text.end() - static_cast<std::ptrdiff_t>(length), text.end(), pattern.begin())) {
      return length;
    }
  }
  return 0;
}

/// `Sequence` is std::string or std::vector. What may be the beginning of a stop sequence is held
/// back until it is known whether it is one.
template <typename Sequence>
class StopMatcher {
 public:
  /// Empty sequences never match.
  explicit StopMatcher(std::vector<Sequence> stops) : stops_(std::move(stops)) {}

  /// Takes what comes next and returns what is certainly not part of a stop sequence. Once one was
  /// met, nothing more is returned.
  Sequence Push(const Sequence& next) {
    if (stopped()) return {};
    held_.insert(held_.end(), next.begin(), next.end());
    auto found = held_.end();
    size_t keep = 0;
    for (const Sequence& stop : stops_) {
      if (stop.empty()) continue;
      const auto at = std::search(held_.begin(), held_.end(), stop.begin(), stop.end());
      if (at < found) {
        found = at;
        matched_ = stop.size();
      }
      keep = std::max(keep, Overlap(held_, stop));
    }
    if (!stopped()) found -= static_cast<std::ptrdiff_t>(keep);
    Sequence released(held_.begin(), found);
    held_.erase(held_.begin(), found);
    return released;
  }

  /// What is still held back when the stream ends otherwise.
  Sequence Flush() { return stopped() ? Sequence() : std::exchange(held_, {}); }

  bool stopped() const { return matched_ > 0; }
  /// Length of the sequence that was met, 0 before.
  size_t matched() const { return matched_; }

 private:
  std::vector<Sequence> stops_;
  Sequence held_;
  size_t matched_ = 0;
};

}  // namespace litertlm

#endif  // LITERTLM_ENGINE_STOP_MATCHER_H_
