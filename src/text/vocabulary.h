// The pieces of a tokenizer, compactly: one block of text and an open-addressing index.
#ifndef LITERTLM_TEXT_VOCABULARY_H_
#define LITERTLM_TEXT_VOCABULARY_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace litertlm {

/// Maps pieces to ids and back. Filled once, then only read.
class Vocabulary {
 public:
  void Reserve(size_t pieces, size_t bytes);
  /// Ids may come in any order and leave gaps. Returns false if the id has another piece already.
  /// A piece that exists under another id keeps its first id for `Find`.
  bool Add(std::string_view piece, TokenId id) { return Add(piece, id, Hash(piece)); }
  /// As many pieces are added or found at once best.
  static constexpr size_t kBlock = 128;
  struct Entry {
    std::string_view piece;
    TokenId id;
  };
  /// Adds all in their order, or those before one that `Add` refuses: it is returned, else null.
  /// Faster than one after the other: a table of this size is in no cache, and the memory for all
  /// of them is asked for at once.
  const Entry* AddAll(std::span<const Entry> entries);

  std::optional<TokenId> Find(std::string_view piece) const;
  /// `ids[i]` becomes the id of `pieces[i]`, or -1. Faster than one after the other, as `AddAll`.
  void FindAll(std::span<const std::string_view> pieces, std::span<TokenId> ids) const;
  /// Empty for an id that is a gap.
  std::string_view Piece(TokenId id) const;
  bool Contains(TokenId id) const {
    return id >= 0 && id < size() && spans_[static_cast<size_t>(id)].size != kGap;
  }
  int size() const { return static_cast<int>(spans_.size()); }  ///< One more than the largest id.

 private:
  static constexpr uint32_t kGap = UINT32_MAX;
  struct Span {
    uint32_t begin = 0;
    uint32_t size = kGap;
  };
  // Few probes go beyond the slot: the hash tells most other pieces apart.
  struct Slot {
    uint32_t hash = 0;
    TokenId id = -1;  // -1: empty.
  };
  static uint32_t Hash(std::string_view piece);
  bool Add(std::string_view piece, TokenId id, uint32_t hash);
  void Insert(Slot added);
  std::optional<TokenId> Find(std::string_view piece, uint32_t hash) const;
  void Grow(size_t slots);

  std::string text_;
  std::vector<Span> spans_;  // By id.
  std::vector<Slot> slots_;  // A power of two.
  size_t used_ = 0;
};

/// What pairs of tokens merge into, in order of their rank. Never changes.
class MergeTable {
 public:
  struct Merge {
    TokenId left, right, merged;
  };
  MergeTable() = default;
  /// In order of their rank. The first of equal pairs counts.
  explicit MergeTable(std::vector<Merge> merges);
  /// The rank of a pair, or -1.
  int32_t Rank(TokenId left, TokenId right) const;
  TokenId Merged(int32_t rank) const { return merges_[static_cast<size_t>(rank)].merged; }

 private:
  // Most pairs that are looked up do not merge: this is found out in the slots alone.
  struct Slot {
    uint32_t hash = 0;
    int32_t rank = -1;  // -1: empty.
  };
  size_t FindSlot(TokenId left, TokenId right, uint32_t hash) const;

  std::vector<Merge> merges_;  // By rank.
  std::vector<Slot> slots_;    // A power of two, at most half full.
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_VOCABULARY_H_
