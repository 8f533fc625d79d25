#include "text/normalizer.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "litertlm/error.h"

namespace litertlm {

std::string Nfc(std::string_view text) {
  // Characters below U+0300 neither combine nor decompose in form C; their first bytes are below
  // 0xCC. Most text ends here.
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0xCC; });
  if (plain) return std::string(text);
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(mapped, std::free);
  if (size < 0) {
    throw Error(ErrorCode::kInternal,
                fmt::format("Unicode normalization failed: {}.", utf8proc_errmsg(size)));
  }
  return {reinterpret_cast<const char*>(mapped), static_cast<size_t>(size)};
}

std::string ReplaceAll(std::string_view text, std::string_view pattern, std::string_view content) {
  std::string result;
  size_t position = 0;
  for (size_t at = text.find(pattern); at != std::string_view::npos;
       at = text.find(pattern, position)) {
    result += text.substr(position, at - position);
    result += content;
    position = at + pattern.size();
  }
  result += text.substr(position);
  return result;
}

void CheckNormalizedSize(size_t normalized, size_t given) {
  // A ligature of 3 bytes has a compatible form of 36, of which the spaces may become "▁".
  constexpr size_t kMaxGrowth = 16;
  if (normalized > kMaxGrowth * (given + kMaxInsertion)) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("The tokenizer's normalizer makes {} bytes of a text of {}.",
                            normalized, given),
                "Its file is damaged; fetch it again.");
  }
  if (normalized >= UINT32_MAX) {
    throw Error(ErrorCode::kUsage,
                fmt::format("A text of {} bytes, normalized {}, cannot be tokenized; the limit is "
                            "4 GiB.",
                            given, normalized));
  }
}

}  // namespace litertlm
