#include "hub/credentials.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "hub/environment.h"
#include "hub/hf_cache.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

std::string Trimmed(const std::string& text) {
  constexpr char kBlanks[] = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// A token becomes part of a header line: nothing in it may end that line or begin another.
Token Checked(const std::string& text, std::string source) {
  Token token{.value = Trimmed(text), .source = std::move(source), .warning = {}};
  const bool printable = std::all_of(token.value.begin(), token.value.end(),
                                     [](char c) { return c > ' ' && c <= '~'; });
  if (!printable || token.value.size() > 1024) {
    throw Error(ErrorCode::kUsage,
                fmt::format("The access token from {} is not one: a token is one word of letters, "
                            "digits and signs.",
                            token.source),
                "Copy it again from https://huggingface.co/settings/tokens");
  }
  return token;
}

Token FromFile(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return {};
  Token token = Checked(ReadFile(path, 65536), fmt::format("the file {}", path.string()));
  struct stat info;
  if (!token.value.empty() && ::stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    token.warning = fmt::format(
        "Other users can read your access token; make it yours: chmod 600 {}", path.string());
  }
  return token;
}

}  // namespace

Token FindToken(const std::optional<std::string>& flag) {
  if (flag) {
    if (Token token = Checked(*flag, "--hf-token"); !token.value.empty()) return token;
  }
  if (Token token = Checked(EnvironmentVariable("HF_TOKEN"), "HF_TOKEN"); !token.value.empty()) {
    return token;
  }
  for (const fs::path& path :
       {fs::path("HF_TOKEN"), fs::path("..") / "HF_TOKEN",
        fs::path(EnvironmentVariable("HF_TOKEN_PATH")), HfHome() / "token"}) {
    if (path.empty()) continue;
    if (Token token = FromFile(path); !token.value.empty()) return token;
  }
  return {};
}

}  // namespace litertlm
