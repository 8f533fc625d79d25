#include "text/piece_trie.h"

#include <algorithm>
#include <utility>

namespace litertlm {

PieceTrie::PieceTrie(std::vector<Vocabulary::Entry> entries) : labels_(1, '\0') {
  std::ranges::stable_sort(entries, {}, &Vocabulary::Entry::piece);
  struct Range {  // The entries below one node.
    size_t begin, end;
  };
  std::vector<Range> level = {{0, entries.size()}};
  for (size_t depth = 0; !level.empty(); ++depth) {
    std::vector<Range> next;
    for (auto [at, end] : level) {
      TokenId id = -1;
      for (; at < end && entries[at].piece.size() == depth; ++at) id = entries[at].id;
      ids_.push_back(id);
      first_child_.push_back(static_cast<uint32_t>(labels_.size()));
      while (at < end) {
        const char label = entries[at].piece[depth];
        const size_t begin = at;
        while (at < end && entries[at].piece[depth] == label) ++at;
        labels_ += label;
        next.push_back({begin, at});
      }
    }
    level = std::move(next);
  }
  first_child_.push_back(static_cast<uint32_t>(labels_.size()));
}

}  // namespace litertlm
