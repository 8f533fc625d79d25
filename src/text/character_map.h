// SentencePiece's `precompiled_charsmap`: rules that replace characters, or a few of them in a row.
#ifndef LITERTLM_TEXT_CHARACTER_MAP_H_
#define LITERTLM_TEXT_CHARACTER_MAP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace litertlm {

/// The bytes are a u32, the size of a trie; the trie, whose values are offsets into what follows;
/// replacements, each with a NUL behind it. The trie is a double array as darts-clone stores it: a
/// node's unit has the base of its children in its upper bits, and the child of a byte is where
/// that byte, as an exclusive or, leads from the base. A value is a child of byte 0.
class CharacterMap {
 public:
  /// Throws kBadInput naming `where`.
  CharacterMap(std::string_view bytes, std::string_view where);

  struct Match {
    size_t size;  ///< Bytes of the text.
    std::string_view replacement;
  };
  /// The longest rule for what `text` begins with.
  std::optional<Match> Longest(std::string_view text) const;
  /// The shortest one.
  std::optional<Match> Shortest(std::string_view text) const;

 private:
  // Calls `visit(match)`, shortest first, until it returns false.
  template <typename Visit>
  void ForEachRule(std::string_view text, Visit visit) const;
  std::string_view Replacement(uint32_t offset) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_CHARACTER_MAP_H_
