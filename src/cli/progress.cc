#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/terminal.h"

namespace litertlm {
namespace {

constexpr auto kTerminalInterval = std::chrono::milliseconds(100);
constexpr auto kPlainInterval = std::chrono::seconds(5);

}  // namespace

std::string FormatBytes(uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} bytes", bytes);
  double value = static_cast<double>(bytes) / 1000;
  for (const char* unit : {"kB", "MB"}) {
    if (value < 999.95) return fmt::format("{:.1f} {}", value, unit);
    value /= 1000;
  }
  return fmt::format("{:.2f} GB", value);
}

std::string FormatSeconds(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(seconds);
  return fmt::format("{} min {} s", whole / 60, whole % 60);
}

std::string Elide(std::string_view text, size_t width) {
  if (text.size() <= width) return std::string(text);
  if (width < 8) return std::string(text.substr(0, width));
  const size_t left = (width - 1) / 2;
  const size_t right = width - 1 - left;
  return fmt::format("{}…{}", text.substr(0, left), text.substr(text.size() - right));
}

ProgressDisplay::ProgressDisplay(const std::atomic<bool>& cancelled)
    : cancelled_(cancelled), terminal_(IsTerminal(STDERR_FILENO)) {}

ProgressDisplay::~ProgressDisplay() { Erase(); }

void ProgressDisplay::Begin(std::string_view phase, uint64_t total) {
  phase_ = phase;
  total_ = total;
  begun_ = Clock::now();
  shown_ = begun_;
  if (!terminal_) WriteErr(phase_ + "\n");
}

void ProgressDisplay::Update(uint64_t done, std::string_view item) {
  const Clock::time_point now = Clock::now();
  if (now - shown_ <
      (terminal_ ? Clock::duration(kTerminalInterval) : Clock::duration(kPlainInterval))) {
    return;
  }
  shown_ = now;
  std::string line = Line(done);
  if (!terminal_) {
    WriteErr(fmt::format("{}  {}\n", line, item));
    return;
  }
  // The item gets the room that is left; one column stays free, so that no terminal wraps.
  const auto width = static_cast<size_t>(TerminalWidth(STDERR_FILENO)) - 1;
  line = line.size() + 2 < width ? line + "  " + Elide(item, width - line.size() - 2)
                                 : Elide(line, width);
  WriteErr("\r" + line + "\033[K");
  line_is_open_ = true;
}

void ProgressDisplay::End() { Erase(); }

void ProgressDisplay::Erase() {
  if (line_is_open_) WriteErr("\r\033[K");
  line_is_open_ = false;
}

std::string ProgressDisplay::Line(uint64_t done) const {
  const double seconds = std::chrono::duration<double>(shown_ - begun_).count();
  const double rate = static_cast<double>(done) / seconds;
  if (total_ == 0) return fmt::format("{}: {}", phase_, FormatBytes(done));
  std::string line = fmt::format("{}: {:3.0f} %  {} of {}", phase_,
                                 100.0 * static_cast<double>(done) / static_cast<double>(total_),
                                 FormatBytes(done), FormatBytes(total_));
  if (rate > 0 && done <= total_) {
    line += fmt::format("  {}/s  {} left", FormatBytes(static_cast<uint64_t>(rate)),
                        FormatSeconds(static_cast<double>(total_ - done) / rate));
  }
  return line;
}

}  // namespace litertlm
