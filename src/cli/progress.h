// Shows how far long work is: one line that is overwritten on a terminal, plain lines elsewhere, or
// JSON for programs.
#ifndef LITERTLM_CLI_PROGRESS_H_
#define LITERTLM_CLI_PROGRESS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/progress.h"

namespace litertlm {

/// `text` cut to `width` columns, with "…" in the middle where something is left out.
std::string Elide(std::string_view text, size_t width);

enum class ProgressStyle {
  kAuto,
  kJson,   ///< One object a line: phase, done, total, item.
  kQuiet,  ///< Nothing.
};

/// Writes to standard error.
class ProgressDisplay : public Progress {
 public:
  /// `cancelled` must outlive the display.
  explicit ProgressDisplay(const std::atomic<bool>& cancelled,
                           ProgressStyle style = ProgressStyle::kAuto);
  ~ProgressDisplay() override;

  void Begin(std::string_view phase, uint64_t total) override;
  void Update(uint64_t done, std::string_view item) override;
  void End() override;
  bool Cancelled() const override { return cancelled_.load(std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;

  std::string Line(uint64_t done) const;
  void PrintJson(uint64_t done, std::string_view item) const;
  void Erase();

  const std::atomic<bool>& cancelled_;
  const ProgressStyle style_;
  const bool terminal_;
  std::string phase_;
  uint64_t total_ = 0;
  Clock::time_point begun_;
  Clock::time_point shown_;
  bool line_is_open_ = false;
};

}  // namespace litertlm

#endif  // LITERTLM_CLI_PROGRESS_H_
