#include "cli/prompt.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "cli/terminal.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

// More text than any context holds; stops an endless pipe.
constexpr size_t kMaxPromptBytes = size_t{64} << 20;

enum class Input { kTerminal, kPiped, kOther };

// Only a pipe or a file was surely put there for us: services and scripts start programs with all
// kinds of things as standard input, and some of them never end.
Input StandardInput() {
  if (IsTerminal(STDIN_FILENO)) return Input::kTerminal;
  struct stat info;
  if (::fstat(STDIN_FILENO, &info) != 0) return Input::kOther;
  return S_ISFIFO(info.st_mode) || S_ISREG(info.st_mode) ? Input::kPiped : Input::kOther;
}

// `explain`: the user may not know that standard input is read.
std::string ReadStandardInput(bool explain) {
  constexpr int kPatienceMilliseconds = 2000;
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  if (explain && ::poll(&input, 1, kPatienceMilliseconds) == 0) {
    WriteErr("Waiting for standard input, which is added to the prompt (none: </dev/null).\n");
  }
  std::string text;
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const ssize_t n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      throw Error(ErrorCode::kIo,
                  fmt::format("Cannot read standard input: {}.", std::strerror(errno)));
    }
    if (n == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(n));
    if (text.size() > kMaxPromptBytes) {
      throw Error(ErrorCode::kBadInput, "Standard input is longer than 64 MiB.");
    }
  }
}

std::string WithoutFinalNewlines(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

std::optional<std::string> ReadPrompt(const PromptSources& sources) {
  std::vector<std::string> parts;
  if (sources.text) parts.push_back(*sources.text);
  const bool file_is_input = sources.file && *sources.file == "-";
  if (sources.file && !file_is_input) {
    parts.push_back(WithoutFinalNewlines(ReadFile(*sources.file, kMaxPromptBytes)));
  }
  const Input input = StandardInput();
  const bool alone = parts.empty();
  if (file_is_input || input == Input::kPiped || (alone && input != Input::kTerminal)) {
    parts.push_back(WithoutFinalNewlines(ReadStandardInput(/*explain=*/!alone)));
  }
  if (parts.empty()) return std::nullopt;
  std::erase_if(parts, [](const std::string& part) { return part.empty(); });
  if (parts.empty()) {
    throw Error(ErrorCode::kUsage, "The prompt is empty.",
                "Give it with --prompt TEXT, --prompt-file FILE or through a pipe.");
  }
  return fmt::format("{}", fmt::join(parts, "\n\n"));
}

std::string ReadPipedText() {
  if (StandardInput() == Input::kTerminal) {
    throw Error(ErrorCode::kUsage, "The text is missing.",
                "Give it as an argument or through a pipe.");
  }
  return ReadStandardInput(/*explain=*/false);
}

std::vector<int32_t> RawPrompt(const Model& model, const std::string& text, bool control) {
  std::vector<int32_t> ids = model.start_tokens();
  const std::vector<int32_t> rest = model.Tokenize(text, control);
  ids.insert(ids.end(), rest.begin(), rest.end());
  return ids;
}

}  // namespace litertlm
