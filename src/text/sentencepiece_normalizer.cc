#include "text/sentencepiece_normalizer.h"

#include "base/utf8.h"
#include "text/normalizer.h"

namespace litertlm {
namespace {

// What is normalized at once, and what becomes of it.
CharacterMap::Match NextUnit(std::string_view text, size_t at,
                             const std::optional<CharacterMap>& characters,
                             const PieceMatcher& pieces,
                             const std::function<bool(TokenId)>& allowed) {
  if (const auto piece = pieces.At(text, at, allowed)) {
    return {piece->size, text.substr(at, piece->size)};
  }
  if (characters) {
    if (const auto rule = characters->Longest(text.substr(at))) return *rule;
  }
  const Utf8Char c = DecodeUtf8(text, at);
  return {c.length, c.valid ? text.substr(at, c.length) : kReplacementUtf8};
}

}  // namespace

std::string SentencePieceNormalizer::Normalize(std::string_view text, const PieceMatcher& pieces,
                                               const std::function<bool(TokenId)>& allowed) const {
  const std::string_view space = escape_spaces ? kSpaceMark : " ";
  std::string result(add_dummy_prefix && !space_as_suffix ? space : "");
  bool empty = true;  // Spaces that are removed do not count.
  bool after_space = remove_extra_spaces;
  for (size_t at = 0; at < text.size();) {
    auto [size, normal] = NextUnit(text, at, characters, pieces, allowed);
    at += size;
    if (!remove_extra_spaces || normal != " ") empty = false;
    while (after_space && normal.starts_with(' ')) normal.remove_prefix(1);
    if (normal.empty()) continue;
    after_space = remove_extra_spaces && normal.ends_with(' ');
    for (const char c : normal) {
      if (c == ' ') {
        result += space;
      } else {
        result += c;
      }
    }
    CheckNormalizedSize(result.size(), text.size());
  }
  if (empty) return {};
  // A mark that was in the text counts as a space here, though not above; so does the prefix.
  while (remove_extra_spaces && result.ends_with(space)) {
    result.resize(result.size() - space.size());
  }
  if (add_dummy_prefix && space_as_suffix) result += space;
  return result;
}

}  // namespace litertlm
