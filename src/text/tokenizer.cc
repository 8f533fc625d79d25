#include "text/tokenizer.h"

#include <fmt/format.h>

#include <charconv>

#include "base/utf8.h"
#include "litertlm/error.h"
#include "text/byte_piece.h"

namespace litertlm {

std::string BytePiece(unsigned char byte) { return fmt::format("<0x{:02X}>", byte); }

int ByteOfPiece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece.back() != '>') return -1;
  unsigned byte = 0;
  const char* end = piece.data() + 5;
  const auto [stop, error] = std::from_chars(piece.data() + 3, end, byte, 16);
  return error == std::errc() && stop == end ? static_cast<int>(byte) : -1;
}

void CheckTokenId(const Tokenizer& tokenizer, TokenId id) {
  if (id >= 0 && id < tokenizer.size()) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("Token {} does not exist; the vocabulary has the ids 0 to {}.", id,
                          tokenizer.size() - 1));
}

void CheckTextSize(std::string_view text) {
  if (text.size() <= size_t{1} << 30) return;
  throw Error(
      ErrorCode::kUsage,
      fmt::format("A text of {} bytes cannot be tokenized; the limit is 1 GiB.", text.size()));
}

std::string Tokenizer::Decode(const std::vector<TokenId>& ids) const {
  std::string bytes;
  for (const TokenId id : ids) bytes += TokenBytes(id);
  return ReplaceInvalidUtf8(bytes);
}

std::string StreamDecoder::Push(TokenId id) {
  held_ += tokenizer_.TokenBytes(id);
  const size_t complete = CompleteUtf8Prefix(held_);
  std::string text = ReplaceInvalidUtf8(std::string_view(held_).substr(0, complete));
  held_.erase(0, complete);
  return text;
}

std::string StreamDecoder::Flush() {
  std::string text = ReplaceInvalidUtf8(held_);
  held_.clear();
  return text;
}

}  // namespace litertlm
