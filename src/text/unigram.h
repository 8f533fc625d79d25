// The unigram model's division of a text: of all ways to divide it into pieces, that whose scores
// have the largest sum (Viterbi's algorithm).
#ifndef LITERTLM_TEXT_UNIGRAM_H_
#define LITERTLM_TEXT_UNIGRAM_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "text/piece_trie.h"

namespace litertlm {

/// An unknown character costs so much more than the worst piece.
inline constexpr float kUnknownPenalty = 10;
/// The time is that of a text's length times this, at most. Real pieces are a few words long.
inline constexpr size_t kLongestUnigramPiece = 4096;

struct UnigramPart {
  TokenId id;      ///< -1 for a character that no piece covers.
  uint32_t begin;  ///< Bytes of the text.
  uint32_t size;
};

/// `score(id, size)` gives a std::optional<double>: none for a piece that must not be used. Each
/// sum is kept as a `Sum`: how it is rounded decides between ways that are equally good, so it has
/// to be the type of the library that the model was made for. Of equal ways that is taken whose
/// last piece begins first. `text` is below 4 GiB.
template <typename Sum, typename Score>
std::vector<UnigramPart> DivideByScores(std::string_view text, const PieceTrie& pieces, Score score,
                                        Sum unknown_score) {
  struct Way {  // The best one that ends at a byte.
    Sum sum = 0;
    uint32_t begin = UINT32_MAX;  // Of its last piece. This: there is none yet.
    TokenId id = -1;
  };
  std::vector<Way> ways(text.size() + 1);
  for (size_t at = 0; at < text.size();) {
    const Sum before = ways[at].sum;
    const auto offer = [&](TokenId id, size_t size, auto added) {
      const auto sum = added + before;  // In the wider of both types, as libsentencepiece has it.
      Way& way = ways[at + size];
      if (way.begin != UINT32_MAX && !(sum > way.sum)) return;
      way = {static_cast<Sum>(sum), static_cast<uint32_t>(at), id};
    };
    const size_t character = DecodeUtf8(text, at).length;
    bool known = false;
    pieces.ForEachPrefix(text.substr(at), [&](TokenId id, size_t size) {
      const std::optional<double> added = score(id, size);
      if (!added) return;
      offer(id, size, *added);
      known = known || size == character;
    });
    if (!known) offer(-1, character, unknown_score);
    at += character;
  }
  std::vector<UnigramPart> parts;
  for (auto end = static_cast<uint32_t>(text.size()); end > 0; end = parts.back().begin) {
    parts.push_back({ways[end].id, ways[end].begin, end - ways[end].begin});
  }
  std::ranges::reverse(parts);
  return parts;
}

}  // namespace litertlm

#endif  // LITERTLM_TEXT_UNIGRAM_H_
