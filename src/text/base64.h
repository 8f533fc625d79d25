// Base64 (RFC 4648), in which tokenizer.json holds bytes.
#ifndef LITERTLM_TEXT_BASE64_H_
#define LITERTLM_TEXT_BASE64_H_

#include <optional>
#include <string>
#include <string_view>

namespace litertlm {

/// Nothing if `text` is not base64 of the standard alphabet, padded.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace litertlm

#endif  // LITERTLM_TEXT_BASE64_H_
