// The heart of byte-pair encoding: neighbours are merged, the best pair first.
#ifndef LITERTLM_TEXT_MERGE_H_
#define LITERTLM_TEXT_MERGE_H_

#include <cstdint>
#include <queue>
#include <vector>

#include "text/tokenizer.h"

namespace litertlm {

/// A stretch of text on its way to being a token.
struct Symbol {
  TokenId id;
  uint32_t begin;       ///< Bytes of the text.
  uint32_t size;        ///< 0 once it was merged into its left neighbour.
  bool frozen = false;  ///< Never merged: a user-defined piece.
};

/// What a pair becomes. Lower ranks merge first; equal ranks from left to right.
struct Merge {
  int64_t rank;
  TokenId id;
};

/// Merges until no pair is left. `find(left, right)` returns std::optional<Merge>. Takes
/// O(n log n) for n symbols. Merged symbols are removed.
template <typename Find>
void MergeSymbols(std::vector<Symbol>& symbols, Find find) {
  if (symbols.size() < 2) return;
  struct Candidate {
    int64_t rank;
    int32_t left, right;
    uint32_t size;  // Of the result: tells a candidate whose symbols have changed since.
    TokenId id;
    bool operator<(const Candidate& other) const {  // For a queue that gives the largest first.
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };
  const auto count = static_cast<int32_t>(symbols.size());
  std::vector<int32_t> previous(symbols.size()), next(symbols.size());
  for (int32_t i = 0; i < count; ++i) {
    previous[i] = i - 1;
    next[i] = i + 1 < count ? i + 1 : -1;
  }
  std::vector<Candidate> found;
  const auto consider = [&](int32_t left, int32_t right, auto&& push) {
    if (left < 0 || right < 0 || symbols[left].frozen || symbols[right].frozen) return;
    if (const auto merge = find(symbols[left], symbols[right])) {
      push(
          Candidate{merge->rank, left, right, symbols[left].size + symbols[right].size, merge->id});
    }
  };
  for (int32_t i = 0; i + 1 < count; ++i) {
    consider(i, i + 1, [&](const Candidate& c) { found.push_back(c); });
  }
  std::priority_queue<Candidate> queue({}, std::move(found));
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.left];
    Symbol& right = symbols[best.right];
    // Symbols only grow, and one that was merged away is empty.
    if (left.size == 0 || right.size == 0 || next[best.left] != best.right ||
        left.size + right.size != best.size) {
      continue;
    }
    left.id = best.id;
    left.size = best.size;
    right.size = 0;
    next[best.left] = next[best.right];
    if (next[best.left] >= 0) previous[next[best.left]] = best.left;
    const auto push = [&](const Candidate& c) { queue.push(c); };
    consider(previous[best.left], best.left, push);
    consider(best.left, next[best.left], push);
  }
  std::erase_if(symbols, [](const Symbol& symbol) { return symbol.size == 0; });
}

}  // namespace litertlm

#endif  // LITERTLM_TEXT_MERGE_H_
