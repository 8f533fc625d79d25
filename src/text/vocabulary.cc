#include "text/vocabulary.h"

#include <bit>
#include <functional>

namespace litertlm {

void Vocabulary::Reserve(size_t pieces, size_t bytes) {
  text_.reserve(bytes);
  spans_.reserve(pieces);
  Grow(std::bit_ceil(2 * pieces + 1));
}

bool Vocabulary::Add(std::string_view piece, TokenId id) {
  const auto index = static_cast<size_t>(id);
  if (Contains(id)) return Piece(id) == piece;
  if (index >= spans_.size()) spans_.resize(index + 1);
  spans_[index] = {static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(piece.size())};
  text_ += piece;
  if (2 * (used_ + 1) > slots_.size()) Grow(std::bit_ceil(4 * (used_ + 1)));
  Insert(id);
  return true;
}

void Vocabulary::Insert(TokenId id) {
  const std::string_view piece = Piece(id);
  const size_t mask = slots_.size() - 1;
  size_t slot = std::hash<std::string_view>()(piece) & mask;
  for (; slots_[slot] >= 0; slot = (slot + 1) & mask) {
    if (Piece(slots_[slot]) == piece) return;
  }
  slots_[slot] = id;
  ++used_;
}

void Vocabulary::Grow(size_t slots) {
  const std::vector<TokenId> old = std::move(slots_);
  slots_.assign(slots, -1);
  used_ = 0;
  for (const TokenId id : old) {
    if (id >= 0) Insert(id);
  }
}

std::optional<TokenId> Vocabulary::Find(std::string_view piece) const {
  if (slots_.empty()) return std::nullopt;
  const size_t mask = slots_.size() - 1;
  for (size_t slot = std::hash<std::string_view>()(piece) & mask; slots_[slot] >= 0;
       slot = (slot + 1) & mask) {
    if (Piece(slots_[slot]) == piece) return slots_[slot];
  }
  return std::nullopt;
}

std::string_view Vocabulary::Piece(TokenId id) const {
  if (!Contains(id)) return {};
  const Span& span = spans_[static_cast<size_t>(id)];
  return std::string_view(text_).substr(span.begin, span.size);
}

void PairTable::Reserve(size_t pairs) {
  slots_.assign(std::bit_ceil(2 * pairs + 1), {kEmpty, 0, 0});
}

size_t PairTable::Slot(uint64_t key) const {
  // Fibonacci hashing: the high bits of the product are well mixed.
  const int shift = 64 - std::bit_width(slots_.size() - 1);
  const size_t mask = slots_.size() - 1;
  size_t slot = shift >= 64 ? 0 : (key * 0x9E3779B97F4A7C15u) >> shift;
  while (slots_[slot].key != kEmpty && slots_[slot].key != key) slot = (slot + 1) & mask;
  return slot;
}

void PairTable::Add(TokenId left, TokenId right, int32_t rank, TokenId id) {
  Entry& entry = slots_[Slot(Key(left, right))];
  if (entry.key == kEmpty) entry = {Key(left, right), rank, id};
}

const PairTable::Entry* PairTable::Find(TokenId left, TokenId right) const {
  if (slots_.empty()) return nullptr;
  const Entry& entry = slots_[Slot(Key(left, right))];
  return entry.key == kEmpty ? nullptr : &entry;
}

}  // namespace litertlm
