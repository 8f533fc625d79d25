// Finds all pieces that a text begins with.
#ifndef LITERTLM_TEXT_PIECE_TRIE_H_
#define LITERTLM_TEXT_PIECE_TRIE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace litertlm {

/// Nodes are numbered level by level, so that the children of a node stand in a row, and the
/// children of the next node behind them.
class PieceTrie {
 public:
  /// Never finds any.
  PieceTrie() : PieceTrie(std::vector<Vocabulary::Entry>()) {}
  /// Of equal pieces the last counts. The entries are not needed afterwards.
  explicit PieceTrie(std::vector<Vocabulary::Entry> entries);

  /// Calls `visit(id, size)`, shortest piece first.
  template <typename Visit>
  void ForEachPrefix(std::string_view text, Visit visit) const {
    size_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const size_t first = first_child_[node];
      const std::string_view children(labels_.data() + first, first_child_[node + 1] - first);
      const size_t child = children.find(text[i]);
      if (child == children.npos) return;
      node = first + child;
      if (ids_[node] >= 0) visit(ids_[node], i + 1);
    }
  }

 private:
  std::string labels_;                 // By node: the byte that leads to it. The root has none.
  std::vector<uint32_t> first_child_;  // By node, and the end of the last one's children.
  std::vector<TokenId> ids_;           // By node: the piece that ends there, or -1.
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_PIECE_TRIE_H_
