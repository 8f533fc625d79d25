// Loops that use several threads only where that pays.
#ifndef LITERTLM_RUNTIME_PARALLEL_H_
#define LITERTLM_RUNTIME_PARALLEL_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "base/thread_pool.h"

namespace litertlm {

/// Calls `f(first, last)`, or `f(first, last, worker)`, for parts of [0, count). `cost` is the
/// number of elementary steps of one item; loops below some ten thousand steps are not worth waking
/// a thread for.
template <typename F>
void ParallelRanges(ThreadPool& pool, int64_t count, int64_t cost, F&& f) {
  constexpr int64_t kStepsPerPart = 1 << 15;
  const int64_t items = std::max<int64_t>(1, kStepsPerPart / std::max<int64_t>(cost, 1));
  const int64_t parts = (count + items - 1) / items;
  const auto call = [&](int64_t first, int64_t last, int worker) {
    if constexpr (std::is_invocable_v<F, int64_t, int64_t, int>) {
      f(first, last, worker);
    } else {
      f(first, last);
    }
  };
  if (parts <= 1 || pool.threads() == 1) {
    if (count > 0) call(0, count, 0);
    return;
  }
  pool.ParallelFor(static_cast<size_t>(parts), [&](size_t part, int worker) {
    const int64_t first = static_cast<int64_t>(part) * items;
    call(first, std::min(first + items, count), worker);
  });
}

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_PARALLEL_H_
