#include "hub/retry.h"

#include <algorithm>
#include <charconv>
#include <random>
#include <thread>

#include "litertlm/error.h"

namespace litertlm {
namespace {

// So that many clients that failed together do not come back together.
double Jitter() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.75, 1.25)(generator);
}

}  // namespace

bool Backoff::Wait(std::optional<std::chrono::seconds> asked) {
  using std::chrono::milliseconds;
  if (failures_ >= policy_.retries) return false;
  if (asked && *asked > policy_.longest_retry_after) return false;
  const double doubled = static_cast<double>(policy_.first_pause.count()) *
                         static_cast<double>(uint64_t{1} << std::min(failures_, 20));
  const double pause =
      std::min(doubled, static_cast<double>(policy_.longest_pause.count())) * Jitter();
  ++failures_;
  const auto until = std::chrono::steady_clock::now() +
                     std::max(milliseconds(static_cast<int64_t>(pause)),
                              milliseconds(asked.value_or(std::chrono::seconds(0))));
  for (;;) {
    if (cancelled_ && cancelled_()) throw Error(ErrorCode::kInterrupted, "Interrupted.");
    const auto now = std::chrono::steady_clock::now();
    if (now >= until) return true;
    std::this_thread::sleep_for(
        std::min<std::chrono::steady_clock::duration>(milliseconds(50), until - now));
  }
}

bool IsTransientStatus(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
         status == 504;
}

std::optional<std::chrono::seconds> ParsePause(std::string_view text) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace litertlm
