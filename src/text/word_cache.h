// Words of a text that come again are not encoded again.
#ifndef LITERTLM_TEXT_WORD_CACHE_H_
#define LITERTLM_TEXT_WORD_CACHE_H_

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"

namespace litertlm {

/// Remembers where in the output the ids of each word stand. It lives as long as one call, so that
/// it needs no lock and no limit. The words must outlive it.
class WordCache {
 public:
  explicit WordCache(std::vector<TokenId>& ids) : ids_(ids) {}

  /// Appends the ids of `word`: those of its first occurrence, or what `encode()` appends.
  template <typename Encode>
  void Append(std::string_view word, Encode encode) {
    const auto [it, fresh] = seen_.try_emplace(word);
    Range& range = it->second;
    if (fresh) {
      range.begin = ids_.size();
      encode();
      range.end = ids_.size();
      return;
    }
    for (size_t i = range.begin; i < range.end; ++i) {
      const TokenId id = ids_[i];
      ids_.push_back(id);
    }
  }

 private:
  struct Range {
    size_t begin = 0, end = 0;
  };
  std::vector<TokenId>& ids_;
  std::unordered_map<std::string_view, Range> seen_;
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_WORD_CACHE_H_
