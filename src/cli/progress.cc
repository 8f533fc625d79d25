#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/json.h"
#include "base/units.h"
#include "cli/terminal.h"

namespace litertlm {
namespace {

constexpr auto kTerminalInterval = std::chrono::milliseconds(100);
constexpr auto kJsonInterval = std::chrono::milliseconds(250);
constexpr auto kPlainInterval = std::chrono::seconds(5);

}  // namespace

std::string Elide(std::string_view text, size_t width) {
  if (text.size() <= width) return std::string(text);
  if (width < 8) return std::string(text.substr(0, width));
  const size_t left = (width - 1) / 2;
  const size_t right = width - 1 - left;
  return fmt::format("{}…{}", text.substr(0, left), text.substr(text.size() - right));
}

ProgressDisplay::ProgressDisplay(const std::atomic<bool>& cancelled, ProgressStyle style)
    : cancelled_(cancelled),
      style_(style),
      terminal_(style == ProgressStyle::kAuto && IsTerminal(STDERR_FILENO)) {}

ProgressDisplay::~ProgressDisplay() { Erase(); }

void ProgressDisplay::Begin(std::string_view phase, uint64_t total) {
  phase_ = phase;
  total_ = total;
  begun_ = Clock::now();
  shown_ = begun_;
  if (style_ == ProgressStyle::kJson) PrintJson(0, "");
  if (style_ == ProgressStyle::kAuto && !terminal_) WriteErr(phase_ + "\n");
}

void ProgressDisplay::Update(uint64_t done, std::string_view item) {
  if (style_ == ProgressStyle::kQuiet) return;
  const Clock::time_point now = Clock::now();
  const Clock::duration interval = terminal_ ? Clock::duration(kTerminalInterval)
                                   : style_ == ProgressStyle::kJson
                                       ? Clock::duration(kJsonInterval)
                                       : Clock::duration(kPlainInterval);
  if (now - shown_ < interval) return;
  shown_ = now;
  if (style_ == ProgressStyle::kJson) {
    PrintJson(done, item);
    return;
  }
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

void ProgressDisplay::PrintJson(uint64_t done, std::string_view item) const {
  WriteErr(DumpJson({{"phase", phase_}, {"done", done}, {"total", total_}, {"item", item}}) + "\n");
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
