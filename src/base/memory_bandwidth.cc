#include "base/memory_bandwidth.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <new>

#include "base/pages.h"

namespace litertlm {
namespace {

constexpr size_t kBytes = size_t{384} << 20;
constexpr size_t kChunk = size_t{256} << 10;
constexpr int kRepetitions = 12;  // The best counts: a shared machine has bad moments.

// Anonymous memory of its own, so that it counts for this process only as long as this lives.
class Buffer {
 public:
  Buffer() {
    void* memory =
        ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    PreferHugePages(memory, kBytes);
    data_ = static_cast<std::byte*>(memory);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { ::munmap(data_, kBytes); }

  std::byte* chunk(size_t index) { return data_ + index * kChunk; }

 private:
  std::byte* data_;
};

// Whole registers, which every processor of the architecture has: with words of 8 bytes the
// arithmetic would be slower than the memory.
using Lane = uint64_t __attribute__((vector_size(16)));

Lane LoadLane(const std::byte* bytes) {
  Lane lane;
  std::memcpy(&lane, bytes, sizeof lane);
  return lane;
}

uint64_t Sum(const std::byte* bytes) {
  constexpr size_t kLine = 64;
  constexpr size_t kAhead = 64 * kLine;
  Lane a = {}, b = {}, c = {}, d = {};
  for (size_t i = 0; i < kChunk; i += kLine) {
    __builtin_prefetch(bytes + i + kAhead);
    a += LoadLane(bytes + i);
    b += LoadLane(bytes + i + 16);
    c += LoadLane(bytes + i + 32);
    d += LoadLane(bytes + i + 48);
  }
  const Lane sum = a + b + c + d;
  return sum[0] + sum[1];
}

}  // namespace

double MeasureReadBandwidth(ThreadPool& pool) {
  using Clock = std::chrono::steady_clock;
  constexpr size_t kChunks = kBytes / kChunk;
  Buffer buffer;
  // Pages that were never written would all be the same one.
  pool.ParallelFor(kChunks, [&](size_t i, int) { std::memset(buffer.chunk(i), 1, kChunk); });
  std::atomic<uint64_t> sink = 0;  // Or the compiler would leave the sums out.
  double best = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    const Clock::time_point start = Clock::now();
    pool.ParallelFor(kChunks, [&](size_t chunk, int) {
      sink.fetch_add(Sum(buffer.chunk(chunk)), std::memory_order_relaxed);
    });
    const std::chrono::duration<double> taken = Clock::now() - start;
    best = std::max(best, static_cast<double>(kBytes) / taken.count());
  }
  return best;
}

}  // namespace litertlm
