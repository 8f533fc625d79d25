// What a parallel loop costs.
#include <benchmark/benchmark.h>

#include <chrono>
#include <thread>

#include "base/thread_pool.h"

namespace litertlm::bench {
namespace {

/// Loops that follow each other, as within a token.
void EmptyLoop(benchmark::State& state) {
  const int threads = static_cast<int>(state.range(0));
  ThreadPool pool(threads);
  for (auto _ : state) pool.ParallelFor(static_cast<size_t>(threads) * 2, [](size_t, int) {});
}

/// A loop after a pause in which the threads fell asleep.
void EmptyLoopAfterSleep(benchmark::State& state) {
  const int threads = static_cast<int>(state.range(0));
  ThreadPool pool(threads);
  for (auto _ : state) {
    std::this_thread::sleep_for(std::chrono::microseconds(300));
    const auto start = std::chrono::steady_clock::now();
    pool.ParallelFor(static_cast<size_t>(threads) * 2, [](size_t, int) {});
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(taken.count());
  }
}

BENCHMARK(EmptyLoop)->ArgName("threads")->Arg(2)->UseRealTime();
BENCHMARK(EmptyLoopAfterSleep)->ArgName("threads")->Arg(2)->UseManualTime();

}  // namespace
}  // namespace litertlm::bench
