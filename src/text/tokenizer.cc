#include "text/tokenizer.h"

#include <fmt/format.h>
#include <zlib.h>

#include <charconv>
#include <cstring>

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

std::unique_ptr<Tokenizer> LoadHfTokenizerZlib(Bytes section, std::string_view where) {
  constexpr uint64_t kLimit = uint64_t{1} << 30;  // As in LiteRT-LM.
  constexpr uint64_t kMostRatio = 1032;           // Deflate cannot shrink further.
  uint64_t size = 0;
  if (section.size() >= sizeof size) std::memcpy(&size, section.data(), sizeof size);
  if (section.size() < sizeof size || size > kLimit || size / kMostRatio > section.size()) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: the tokenizer section of {} bytes cannot hold a tokenizer.json of "
                            "{} bytes.",
                            where, section.size(), size),
                "The file is damaged; fetch or convert it again.");
  }
  std::string json(size, '\0');
  const Bytes packed = section.subspan(sizeof size);
  uLongf unpacked = size;
  const int status =
      uncompress(reinterpret_cast<Bytef*>(json.data()), &unpacked,
                 reinterpret_cast<const Bytef*>(packed.data()), static_cast<uLong>(packed.size()));
  if (status != Z_OK || unpacked != size) {
    throw Error(
        ErrorCode::kBadInput,
        fmt::format("{}: the tokenizer section does not unpack to the {} bytes it announces "
                    "(zlib status {}).",
                    where, size, status),
        "The file is damaged; fetch or convert it again.");
  }
  return LoadHfTokenizer(AsBytes(json), where);
}

}  // namespace litertlm
