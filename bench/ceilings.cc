#include "bench/ceilings.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <new>
#include <random>

#include "base/pages.h"
#include "base/thread_pool.h"

namespace litertlm::bench {
namespace {

constexpr int kRepetitions = 12;  // The best counts: a shared machine has bad moments.

template <typename F>
double BestSeconds(F&& f) {
  double best = 1e9;
  for (int i = 0; i < kRepetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

#if defined(__x86_64__)
constexpr int kSums = 16;  // More than latency times throughput.
constexpr int kRounds = 50'000;

__attribute__((target("avx512f,avx512vnni"))) void DotOnRegisters() {
  for (int i = 0; i < kRounds; ++i) {
    asm volatile(
        "vpdpbusd %%zmm16, %%zmm16, %%zmm0\n vpdpbusd %%zmm16, %%zmm16, %%zmm1\n"
        "vpdpbusd %%zmm16, %%zmm16, %%zmm2\n vpdpbusd %%zmm16, %%zmm16, %%zmm3\n"
        "vpdpbusd %%zmm16, %%zmm16, %%zmm4\n vpdpbusd %%zmm16, %%zmm16, %%zmm5\n"
        "vpdpbusd %%zmm16, %%zmm16, %%zmm6\n vpdpbusd %%zmm16, %%zmm16, %%zmm7\n"
        "vpdpbusd %%zmm16, %%zmm16, %%zmm8\n vpdpbusd %%zmm16, %%zmm16, %%zmm9\n"
        "vpdpbusd %%zmm16, %%zmm16, %%zmm10\n vpdpbusd %%zmm16, %%zmm16, %%zmm11\n"
        "vpdpbusd %%zmm16, %%zmm16, %%zmm12\n vpdpbusd %%zmm16, %%zmm16, %%zmm13\n"
        "vpdpbusd %%zmm16, %%zmm16, %%zmm14\n vpdpbusd %%zmm16, %%zmm16, %%zmm15\n" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  }
}

double MeasurePeak(int threads) {
  if (!__builtin_cpu_supports("avx512vnni")) return 0;
  ThreadPool pool(threads);
  const size_t tasks = static_cast<size_t>(threads) * 8;
  const double seconds =
      BestSeconds([&] { pool.ParallelFor(tasks, [](size_t, int) { DotOnRegisters(); }); });
  constexpr double kOperations = 2.0 * 64 * kSums * kRounds;
  return static_cast<double>(tasks) * kOperations / seconds;
}
#else
double MeasurePeak(int) { return 0; }
#endif

}  // namespace

const uint8_t* Cold() {
  // In huge pages, as files lie that `convert` writes, and as the memory does that the kernels'
  // speed is compared with.
  constexpr std::align_val_t kHugePage{size_t{2} << 20};
  static uint64_t* const words = [] {
    auto* random = static_cast<uint64_t*>(::operator new(kColdBytes, kHugePage));
    PreferHugePages(random, kColdBytes);
    std::mt19937_64 generator(1);
    std::generate_n(random, kColdBytes / sizeof(uint64_t), std::ref(generator));
    return random;
  }();
  return reinterpret_cast<const uint8_t*>(words);
}

double IntegerPeak(int threads) {
  static std::map<int, double> measured;
  double& value = measured[threads];
  if (value == 0) value = MeasurePeak(threads);
  return value;
}

}  // namespace litertlm::bench
