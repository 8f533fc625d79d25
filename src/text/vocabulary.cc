#include "text/vocabulary.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/pages.h"

namespace litertlm {
namespace {

constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio: mixes well into high bits.

uint32_t Mix(uint64_t value) { return static_cast<uint32_t>((value * kOdd) >> 32); }

// `size` bytes, 1 to 8, as a number: parts may overlap, which is faster than a loop.
uint64_t LoadWord(const char* bytes, size_t size) {
  if (size >= 4) {
    uint32_t low, high;
    std::memcpy(&low, bytes, sizeof low);
    std::memcpy(&high, bytes + size - sizeof high, sizeof high);
    return low | uint64_t{high} << 32;
  }
  const auto at = [bytes](size_t i) { return uint64_t{static_cast<uint8_t>(bytes[i])}; };
  return at(0) | at(size / 2) << 8 | at(size - 1) << 16;
}

uint32_t Hash(TokenId left, TokenId right) {
  return Mix(uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right));
}

}  // namespace

void Vocabulary::Reserve(size_t pieces, size_t bytes) {
  ReserveInHugePages(text_, bytes);
  ReserveInHugePages(spans_, pieces);
  Grow(std::bit_ceil(2 * pieces));
}

uint32_t Vocabulary::Hash(std::string_view piece) {
  uint64_t hash = piece.size();
  for (size_t i = 0; i < piece.size(); i += 8) {
    const uint64_t word = LoadWord(piece.data() + i, std::min<size_t>(8, piece.size() - i));
    hash = (std::rotl(hash, 23) ^ word) * kOdd;
  }
  return Mix(hash ^ (hash >> 32));
}

const Vocabulary::Entry* Vocabulary::AddAll(std::span<const Entry> entries) {
  std::vector<uint32_t> hashes(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    hashes[i] = Hash(entries[i].piece);
    if (!slots_.empty()) __builtin_prefetch(&slots_[hashes[i] & (slots_.size() - 1)], /*rw=*/1);
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!Add(entries[i].piece, entries[i].id, hashes[i])) return &entries[i];
  }
  return nullptr;
}

bool Vocabulary::Add(std::string_view piece, TokenId id, uint32_t hash) {
  const auto index = static_cast<size_t>(id);
  if (Contains(id)) return Piece(id) == piece;
  if (index >= spans_.size()) spans_.resize(index + 1);
  spans_[index] = {static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(piece.size())};
  text_ += piece;
  if (2 * (used_ + 1) > slots_.size()) Grow(std::bit_ceil(4 * (used_ + 1)));
  Insert({hash, id});
  return true;
}

void Vocabulary::Insert(Slot added) {
  const size_t mask = slots_.size() - 1;
  size_t at = added.hash & mask;
  for (; slots_[at].id >= 0; at = (at + 1) & mask) {
    if (slots_[at].hash == added.hash && Piece(slots_[at].id) == Piece(added.id)) return;
  }
  slots_[at] = added;
  ++used_;
}

void Vocabulary::Grow(size_t slots) {
  const std::vector<Slot> old = std::move(slots_);
  ReserveInHugePages(slots_, slots);
  slots_.assign(slots, {});
  used_ = 0;
  for (const Slot& slot : old) {
    if (slot.id >= 0) Insert(slot);
  }
}

std::optional<TokenId> Vocabulary::Find(std::string_view piece) const {
  return Find(piece, Hash(piece));
}

void Vocabulary::FindAll(std::span<const std::string_view> pieces, std::span<TokenId> ids) const {
  if (slots_.empty()) {
    std::ranges::fill(ids, -1);
    return;
  }
  const size_t mask = slots_.size() - 1;
  std::vector<uint32_t> hashes(pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    hashes[i] = Hash(pieces[i]);
    __builtin_prefetch(&slots_[hashes[i] & mask]);
  }
  const auto first_found = [&](size_t i) { return slots_[hashes[i] & mask].id; };
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (const TokenId id = first_found(i); id >= 0) __builtin_prefetch(&spans_[id]);
  }
  for (size_t i = 0; i < pieces.size(); ++i) __builtin_prefetch(Piece(first_found(i)).data());
  for (size_t i = 0; i < pieces.size(); ++i) ids[i] = Find(pieces[i], hashes[i]).value_or(-1);
}

std::optional<TokenId> Vocabulary::Find(std::string_view piece, uint32_t hash) const {
  if (slots_.empty()) return std::nullopt;
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask; slots_[at].id >= 0; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && Piece(slots_[at].id) == piece) return slots_[at].id;
  }
  return std::nullopt;
}

std::string_view Vocabulary::Piece(TokenId id) const {
  if (!Contains(id)) return {};
  const Span& span = spans_[static_cast<size_t>(id)];
  return {text_.data() + span.begin, span.size};
}

MergeTable::MergeTable(std::vector<Merge> merges) : merges_(std::move(merges)) {
  const size_t slots = std::bit_ceil(2 * merges_.size() + 1);
  ReserveInHugePages(slots_, slots);
  slots_.resize(slots);
  constexpr size_t kAhead = 32;  // Slots that are asked for before they are used.
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < merges_.size(); ++i) {
    if (i + kAhead < merges_.size()) {
      const Merge& soon = merges_[i + kAhead];
      __builtin_prefetch(&slots_[Hash(soon.left, soon.right) & mask], /*rw=*/1);
    }
    const Merge& merge = merges_[i];
    const uint32_t hash = Hash(merge.left, merge.right);
    Slot& slot = slots_[FindSlot(merge.left, merge.right, hash)];
    if (slot.rank < 0) slot = {hash, static_cast<int32_t>(i)};
  }
}

size_t MergeTable::FindSlot(TokenId left, TokenId right, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  for (; slots_[at].rank >= 0; at = (at + 1) & mask) {
    if (slots_[at].hash != hash) continue;
    const Merge& entry = merges_[static_cast<size_t>(slots_[at].rank)];
    if (entry.left == left && entry.right == right) break;
  }
  return at;
}

int32_t MergeTable::Rank(TokenId left, TokenId right) const {
  if (slots_.empty()) return -1;
  return slots_[FindSlot(left, right, Hash(left, right))].rank;
}

}  // namespace litertlm
