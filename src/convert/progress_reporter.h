// Progress for whoever works: counts, and stops the work when the user wants that.
#ifndef LITERTLM_CONVERT_PROGRESS_REPORTER_H_
#define LITERTLM_CONVERT_PROGRESS_REPORTER_H_

#include <cstdint>
#include <string_view>

#include "base/progress.h"
#include "litertlm/error.h"

namespace litertlm {

class ProgressReporter {
 public:
  /// `progress` may be null; nothing is reported then.
  explicit ProgressReporter(Progress* progress) : progress_(progress) {}

  void Begin(std::string_view phase, uint64_t total) {
    done_ = 0;
    if (progress_ != nullptr) progress_->Begin(phase, total);
  }
  /// Throws kInterrupted if the user wants to stop.
  void Advance(uint64_t amount, std::string_view item) {
    done_ += amount;
    if (progress_ == nullptr) return;
    if (progress_->Cancelled()) {
      throw Error(ErrorCode::kInterrupted, "The conversion was interrupted; nothing was written.",
                  "Run the same command again.");
    }
    progress_->Update(done_, item);
  }
  void End() {
    if (progress_ != nullptr) progress_->End();
  }

 private:
  Progress* progress_;
  uint64_t done_ = 0;
};

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_PROGRESS_REPORTER_H_
