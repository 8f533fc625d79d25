#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace litertlm {
namespace {

// Returns 0, or the error number.
int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    text.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

std::string Styled(int fd, std::string_view code, std::string_view text) {
  return UsesColour(fd) ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
}

}  // namespace

void WriteOut(std::string_view text) {
  const int error = WriteAll(STDOUT_FILENO, text);
  if (error == EPIPE) throw ClosedPipe();
  if (error != 0) {
    throw Error(ErrorCode::kIo,
                fmt::format("Cannot write to standard output: {}.", std::strerror(error)));
  }
}

void WriteErr(std::string_view text) { WriteAll(STDERR_FILENO, text); }

bool IsTerminal(int fd) { return ::isatty(fd) == 1; }

bool UsesColour(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* term = std::getenv("TERM");
  return IsTerminal(fd) && term != nullptr && std::string_view(term) != "dumb";
}

int TerminalWidth(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::string Dim(int fd, std::string_view text) { return Styled(fd, "2", text); }
std::string Bold(int fd, std::string_view text) { return Styled(fd, "1", text); }

void PrintError(const Error& error) {
  std::string text = Styled(STDERR_FILENO, "1;31", "error:") + " " + error.message() + "\n";
  if (!error.hint().empty()) {
    text += Styled(STDERR_FILENO, "1;36", "hint:") + " " + error.hint() + "\n";
  }
  WriteErr(text);
}

}  // namespace litertlm
