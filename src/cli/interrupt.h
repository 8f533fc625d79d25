// Ctrl-C and a request to terminate become a flag that long work looks at.
#ifndef LITERTLM_CLI_INTERRUPT_H_
#define LITERTLM_CLI_INTERRUPT_H_

#include <signal.h>

#include <atomic>

namespace litertlm {

/// While one lives, SIGINT and SIGTERM set `requested` instead of ending the program. One at a
/// time.
class InterruptGuard {
 public:
  InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard();

  /// False again at the beginning.
  static const std::atomic<bool>& requested();

 private:
  struct sigaction interrupt_before_;
  struct sigaction terminate_before_;
};

}  // namespace litertlm

#endif  // LITERTLM_CLI_INTERRUPT_H_
