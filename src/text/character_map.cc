#include "text/character_map.h"

#include <fmt/format.h>

#include <cstring>

#include "base/utf8.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

// Rules are a few characters long. In a damaged trie a walk may go round in a circle.
constexpr size_t kLongestRule = 256;

constexpr uint32_t kIsValue = 1U << 31;

bool HasValue(uint32_t unit) { return (unit & kIsValue) == 0 && (unit >> 8 & 1) != 0; }
uint32_t Value(uint32_t unit) { return unit & ~kIsValue; }
// Equals a byte only in a unit that is no value.
uint32_t Label(uint32_t unit) { return unit & (kIsValue | 0xFF); }
// Bases that are too far away for 22 bits are kept without their lowest 8, which are 0.
uint32_t Base(uint32_t unit) { return (unit >> 10) << ((unit >> 9 & 1) * 8); }

}  // namespace

CharacterMap::CharacterMap(std::string_view bytes, std::string_view where) {
  const auto check = [&](bool good, std::string_view what) {
    if (good) return;
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: the character map of {} bytes {}.", where, bytes.size(), what),
                "The file is damaged; fetch it again.");
  };
  uint32_t trie_size = 0;
  check(bytes.size() > sizeof trie_size, "is too short");
  std::memcpy(&trie_size, bytes.data(), sizeof trie_size);
  bytes.remove_prefix(sizeof trie_size);
  check(trie_size > 0 && trie_size < bytes.size() && trie_size % sizeof(uint32_t) == 0,
        "has a trie of a wrong size");
  units_.resize(trie_size / sizeof(uint32_t));
  std::memcpy(units_.data(), bytes.data(), trie_size);
  replacements_ = bytes.substr(trie_size);
  check(IsValidUtf8(replacements_), "has replacements that are not UTF-8");
  const auto is_start = [&](uint32_t offset) {
    return offset < replacements_.size() &&
           (static_cast<uint8_t>(replacements_[offset]) & 0xC0) != 0x80;
  };
  for (uint32_t i = 0; i < units_.size(); ++i) {
    if (!HasValue(units_[i])) continue;
    const uint32_t child = i ^ Base(units_[i]);
    check(child < units_.size() && is_start(Value(units_[child])), "has a rule without a value");
  }
}

template <typename Visit>
void CharacterMap::ForEachRule(std::string_view text, Visit visit) const {
  uint32_t at = Base(units_[0]);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    at ^= byte;
    if (at >= units_.size() || Label(units_[at]) != byte) return;
    if (i == kLongestRule) {
      throw Error(ErrorCode::kBadInput,
                  fmt::format("The tokenizer's character map has a rule of more than {} bytes.",
                              kLongestRule),
                  "Its file is damaged; fetch it again.");
    }
    const uint32_t unit = units_[at];
    at ^= Base(unit);
    if (HasValue(unit) && !visit(Match{i + 1, Replacement(Value(units_[at]))})) return;
  }
}

std::string_view CharacterMap::Replacement(uint32_t offset) const {
  const std::string_view rest = std::string_view(replacements_).substr(offset);
  return rest.substr(0, rest.find('\0'));
}

std::optional<CharacterMap::Match> CharacterMap::Longest(std::string_view text) const {
  std::optional<Match> found;
  ForEachRule(text, [&](const Match& match) {
    found = match;
    return true;
  });
  return found;
}

std::optional<CharacterMap::Match> CharacterMap::Shortest(std::string_view text) const {
  std::optional<Match> found;
  ForEachRule(text, [&](const Match& match) {
    found = match;
    return false;
  });
  return found;
}

}  // namespace litertlm
