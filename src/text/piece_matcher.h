// Finds tokens that are spelled out in a text: added tokens and user-defined pieces.
#ifndef LITERTLM_TEXT_PIECE_MATCHER_H_
#define LITERTLM_TEXT_PIECE_MATCHER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"

namespace litertlm {

/// The longest piece that begins at a position, out of a fixed set.
class PieceMatcher {
 public:
  void Add(std::string_view piece, TokenId id);
  bool empty() const { return ids_.empty(); }

  struct Match {
    TokenId id;
    size_t size;
  };
  /// `allowed(id)` tells which pieces count.
  template <typename Allowed>
  std::optional<Match> At(std::string_view text, size_t position, Allowed allowed) const {
    for (const uint32_t size : lengths_[static_cast<uint8_t>(text[position])]) {
      if (size > text.size() - position) continue;
      const auto it = ids_.find(text.substr(position, size));
      if (it != ids_.end() && allowed(it->second)) return Match{it->second, size};
    }
    return std::nullopt;
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, TokenId, Hash, std::equal_to<>> ids_;
  std::array<std::vector<uint32_t>, 256> lengths_;  // By first byte, longest first.
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_PIECE_MATCHER_H_
