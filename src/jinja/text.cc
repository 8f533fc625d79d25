#include "jinja/text.h"

#include <cstring>

namespace litertlm::jinja {

Text Text::Sub(size_t begin, size_t length) const {
  Text result;
  result.bytes_ = bytes_.substr(begin, length);
  result.origins_ = origins_.substr(begin, length);
  return result;
}

void Text::Append(const Text& text) {
  bytes_ += text.bytes_;
  origins_ += text.origins_;
}

void Text::Append(std::string_view bytes, Origin origin) {
  bytes_ += bytes;
  origins_.append(bytes.size(), static_cast<char>(origin));
}

std::vector<Piece> Text::Pieces() const {
  std::vector<Piece> pieces;
  for (size_t begin = 0; begin < size();) {
    size_t end = origins_.find_first_not_of(origins_[begin], begin);
    if (end == std::string::npos) end = size();
    pieces.push_back({bytes_.substr(begin, end - begin), origin(begin)});
    begin = end;
  }
  return pieces;
}

size_t FindBytes(std::string_view text, std::string_view part, size_t from) {
  if (from > text.size()) return std::string::npos;
  // std::search and string::find take the product of both lengths in the worst case.
  const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  if (found == nullptr) return std::string::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace litertlm::jinja
