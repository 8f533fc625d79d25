#include "text/hf_model.h"

#include <algorithm>
#include <string>

#include "text/byte_piece.h"

namespace litertlm {

bool HfFlag(simdjson::dom::object model, std::string_view key) {
  const auto value = model[key];
  return value.error() == simdjson::SUCCESS && value.is_bool() && value.get_bool().value();
}

HfBytePieces::HfBytePieces(const Vocabulary& vocabulary, bool byte_level) {
  for (int i = 0; i < 256; ++i) {
    const auto byte = static_cast<unsigned char>(i);
    const std::string piece = byte_level ? std::string(ByteLevelChar(byte)) : BytePiece(byte);
    ids_[byte] = vocabulary.Find(piece).value_or(-1);
  }
}

bool HfBytePieces::HasAll(std::string_view text, const ControlSet& control) const {
  return std::ranges::all_of(text, [&](char c) { return Find(c, control) >= 0; });
}

}  // namespace litertlm
