// Text that remembers, byte by byte, who wrote it.
#ifndef LITERTLM_JINJA_TEXT_H_
#define LITERTLM_JINJA_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace litertlm::jinja {

enum class Origin : char {
  kTemplate,  ///< The template, its numbers and its names.
  kMessage,   ///< Someone who must not be able to write control tokens.
};

/// A stretch of text of one origin.
struct Piece {
  std::string text;
  Origin origin;
  bool operator==(const Piece&) const = default;
};

/// A string beside which a second one keeps the origin of each byte: whatever is cut out, joined or
/// replaced is cut, joined or replaced in both.
class Text {
 public:
  Text() = default;
  Text(std::string_view bytes, Origin origin)
      : bytes_(bytes), origins_(bytes.size(), static_cast<char>(origin)) {}

  std::string_view bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  Origin origin(size_t byte) const { return static_cast<Origin>(origins_[byte]); }

  Text Sub(size_t begin, size_t length = std::string::npos) const;
  void Append(const Text& text);
  void Append(std::string_view bytes, Origin origin);

  /// The text in as few pieces as its origins allow.
  std::vector<Piece> Pieces() const;

  /// By bytes alone, which for UTF-8 is the order of characters.
  bool operator==(const Text& other) const { return bytes_ == other.bytes_; }

 private:
  std::string bytes_;
  std::string origins_;
};

/// Where `part` stands in `text` at or after `from`; npos if it does not. In linear time, whatever
/// the two are.
size_t FindBytes(std::string_view text, std::string_view part, size_t from = 0);

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_TEXT_H_
