// The pieces of a tokenizer, compactly: one block of text and an open-addressing index.
#ifndef LITERTLM_TEXT_VOCABULARY_H_
#define LITERTLM_TEXT_VOCABULARY_H_

#include <cstdint>
#include <optional>
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
  bool Add(std::string_view piece, TokenId id);

  std::optional<TokenId> Find(std::string_view piece) const;
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
  void Insert(TokenId id);
  void Grow(size_t slots);

  std::string text_;
  std::vector<Span> spans_;     // By id.
  std::vector<TokenId> slots_;  // A power of two; -1 is empty.
  size_t used_ = 0;
};

/// Pairs of ids to what they merge into: an open-addressing table of packed keys.
class PairTable {
 public:
  struct Entry {
    uint64_t key;
    int32_t rank;
    TokenId id;
  };
  void Reserve(size_t pairs);
  /// The first of equal pairs counts.
  void Add(TokenId left, TokenId right, int32_t rank, TokenId id);
  const Entry* Find(TokenId left, TokenId right) const;

 private:
  static constexpr uint64_t kEmpty = UINT64_MAX;
  static uint64_t Key(TokenId left, TokenId right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  size_t Slot(uint64_t key) const;
  std::vector<Entry> slots_;
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_VOCABULARY_H_
