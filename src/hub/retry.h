// How often and after what pause a request is made again.
#ifndef LITERTLM_HUB_RETRY_H_
#define LITERTLM_HUB_RETRY_H_

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

namespace litertlm {

struct RetryPolicy {
  int retries = 5;
  std::chrono::milliseconds first_pause{250};  ///< Doubled each time, give or take a quarter.
  std::chrono::milliseconds longest_pause{15000};
  /// A server that asks for a longer pause than this is not waited for.
  std::chrono::seconds longest_retry_after{90};
};

class Backoff {
 public:
  Backoff(const RetryPolicy& policy, const std::function<bool()>& cancelled)
      : policy_(policy), cancelled_(cancelled) {}

  /// Something went well: the pauses begin anew.
  void Reset() { failures_ = 0; }
  /// Waits for the next attempt, at least for `asked`. Returns false, without waiting, if there
  /// shall be none. Throws kInterrupted.
  bool Wait(std::optional<std::chrono::seconds> asked = std::nullopt);

 private:
  const RetryPolicy& policy_;
  const std::function<bool()>& cancelled_;
  int failures_ = 0;
};

/// Statuses that pass by themselves: 408, 429 and those of the 500s that do.
bool IsTransientStatus(int status);
/// The whole number of seconds that `text` begins with.
std::optional<std::chrono::seconds> ParsePause(std::string_view text);

}  // namespace litertlm

#endif  // LITERTLM_HUB_RETRY_H_
