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

void Notice(ProgressStyle style, std::string_view text) {
  if (style == ProgressStyle::kAuto) WriteErr(fmt::format("{}\n", text));
  if (style == ProgressStyle::kJson) WriteErr(DumpJson({{"notice", text}}) + "\n");
}

ProgressDisplay::ProgressDisplay(const std::atomic<bool>& cancelled, ProgressStyle style,
                                 EndedPhase ended)
    : cancelled_(cancelled),
      style_(style),
      terminal_(style == ProgressStyle::kAuto && IsTerminal(STDERR_FILENO)),
      ended_(ended) {}

ProgressDisplay::~ProgressDisplay() { Erase(); }

void ProgressDisplay::Begin(std::string_view phase, uint64_t total) {
  phase_ = phase;
  total_ = total;
  done_ = 0;
  done_before_.reset();
  begun_ = Clock::now();
  shown_ = begun_;
  if (style_ == ProgressStyle::kJson) PrintJson("");
  if (style_ == ProgressStyle::kAuto && !terminal_) WriteErr(phase_ + "\n");
}

void ProgressDisplay::Update(uint64_t done, std::string_view item) {
  if (style_ == ProgressStyle::kQuiet) return;
  done_ = done;
  if (!done_before_) done_before_ = done;
  const Clock::time_point now = Clock::now();
  const Clock::duration interval = terminal_ ? Clock::duration(kTerminalInterval)
                                   : style_ == ProgressStyle::kJson
                                       ? Clock::duration(kJsonInterval)
                                       : Clock::duration(kPlainInterval);
  if (now - shown_ < interval) return;
  shown_ = now;
  if (style_ == ProgressStyle::kJson) {
    PrintJson(item);
    return;
  }
  std::string line = Line();
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

void ProgressDisplay::End() {
  if (total_ != 0) done_ = total_;
  if (style_ == ProgressStyle::kJson) PrintJson("");
  if (terminal_ && ended_ == EndedPhase::kKept) {
    shown_ = Clock::now();
    WriteErr("\r" + EndedLine() + "\033[K\n");
    line_is_open_ = false;
  }
  Erase();
}

void ProgressDisplay::PrintJson(std::string_view item) const {
  WriteErr(DumpJson({{"phase", phase_}, {"done", done_}, {"total", total_}, {"item", item}}) +
           "\n");
}

void ProgressDisplay::Erase() {
  if (line_is_open_) WriteErr("\r\033[K");
  line_is_open_ = false;
}

double ProgressDisplay::Seconds() const {
  return std::chrono::duration<double>(shown_ - begun_).count();
}

// Of this run alone: with what an earlier one left, the time that is left would be too short.
double ProgressDisplay::Rate() const {
  const uint64_t before = done_before_.value_or(done_);
  return done_ > before ? static_cast<double>(done_ - before) / Seconds() : 0;
}

std::string ProgressDisplay::Line() const {
  if (total_ == 0) return fmt::format("{}: {}", phase_, FormatBytes(done_));
  std::string line = fmt::format("{}: {:3.0f} %  {} of {}", phase_,
                                 100.0 * static_cast<double>(done_) / static_cast<double>(total_),
                                 FormatBytes(done_), FormatBytes(total_));
  if (const double rate = Rate(); rate > 0 && done_ <= total_) {
    line += fmt::format("  {}/s  {} left", FormatBytes(static_cast<uint64_t>(rate)),
                        FormatSeconds(static_cast<double>(total_ - done_) / rate));
  }
  return line;
}

std::string ProgressDisplay::EndedLine() const {
  constexpr double kNoticeable = 0.1;  // Below it a rate says nothing.
  std::string line = fmt::format("{}: {}", phase_, FormatBytes(done_));
  if (const double rate = Rate(); rate > 0 && Seconds() >= kNoticeable) {
    line += fmt::format("  {}/s  in {}", FormatBytes(static_cast<uint64_t>(rate)),
                        FormatSeconds(Seconds()));
  }
  return Elide(line, static_cast<size_t>(TerminalWidth(STDERR_FILENO)) - 1);
}

}  // namespace litertlm
