#include "text/piece_matcher.h"

#include <algorithm>

namespace litertlm {

void PieceMatcher::Add(std::string_view piece, TokenId id) {
  if (piece.empty() || !ids_.emplace(piece, id).second) return;
  std::vector<uint32_t>& lengths = lengths_[static_cast<uint8_t>(piece[0])];
  const auto size = static_cast<uint32_t>(piece.size());
  const auto at = std::lower_bound(lengths.begin(), lengths.end(), size, std::greater<>());
  if (at == lengths.end() || *at != size) lengths.insert(at, size);
}

}  // namespace litertlm
