// Shows how far long work is: one line that is overwritten on a terminal, plain lines elsewhere, or
// JSON for programs.
#ifndef LITERTLM_CLI_PROGRESS_H_
#define LITERTLM_CLI_PROGRESS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/progress.h"

namespace litertlm {

/// `text` cut to `width` columns, with "…" in the middle where something is left out.
std::string Elide(std::string_view text, size_t width);

enum class ProgressStyle {
  kAuto,
  kJson,   ///< One object a line: phase, done, total, item. The last of a phase has done == total.
  kQuiet,  ///< Nothing.
};

/// What becomes of the line on a terminal when its phase has ended.
enum class EndedPhase {
  kErased,
  kKept,  ///< It stays, with the time that was taken.
};

/// Says on standard error what is done beside the progress itself: a line, or {"notice": …} for
/// programs.
void Notice(ProgressStyle style, std::string_view text);

/// Writes to standard error.
class ProgressDisplay : public Progress {
 public:
  /// `cancelled` must outlive the display.
  ProgressDisplay(const std::atomic<bool>& cancelled, ProgressStyle style,
                  EndedPhase ended = EndedPhase::kErased);
  ~ProgressDisplay() override;

  void Begin(std::string_view phase, uint64_t total) override;
  void Update(uint64_t done, std::string_view item) override;
  void End() override;
  bool Cancelled() const override { return cancelled_.load(std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;

  std::string Line() const;
  std::string EndedLine() const;
  double Seconds() const;
  double Rate() const;
  void PrintJson(std::string_view item) const;
  void Erase();

  const std::atomic<bool>& cancelled_;
  const ProgressStyle style_;
  const bool terminal_;
  const EndedPhase ended_;
  std::string phase_;
  uint64_t total_ = 0;
  uint64_t done_ = 0;
  std::optional<uint64_t> done_before_;  ///< At the first update: what earlier work left.
  Clock::time_point begun_;
  Clock::time_point shown_;
  bool line_is_open_ = false;
};

}  // namespace litertlm

#endif  // LITERTLM_CLI_PROGRESS_H_
