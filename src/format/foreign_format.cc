#include "format/foreign_format.h"

#include <algorithm>

namespace litertlm {

bool IsGitLfsPointer(Bytes bytes) { return AsText(bytes).starts_with("version https://git-lfs"); }

std::string_view ForeignFormatHint(Bytes bytes) {
  constexpr size_t kLength = 8;  // What a safetensors file has before its JSON.
  const std::string_view text = AsText(bytes.first(std::min<size_t>(bytes.size(), 64)));
  if (text.empty()) return "The file is empty: get it again.";
  if (text.starts_with("GGUF")) {
    return "It is a GGUF file, which llama.cpp runs. Look for the model's .litertlm file, or "
           "convert its Hugging Face checkpoint.";
  }
  if (IsGitLfsPointer(bytes)) return kGitLfsHint;
  if (text.size() > kLength && text.substr(kLength).starts_with("{\"")) {
    return "It holds a checkpoint's weights (safetensors): give the folder that they lie in.";
  }
  if (text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size())).starts_with('<')) {
    return "It is a web page that was saved under this name: download the file itself.";
  }
  return "Another format, or a file that was not copied whole, looks like this.";
}

}  // namespace litertlm
