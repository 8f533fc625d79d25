#include "base/memory_bandwidth.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
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
constexpr size_t kChunks = kBytes / kChunk;
constexpr int kRepetitions = 6;  // The best counts: a shared machine has bad moments.

// Whole registers, which every processor of the architecture has: with words of 8 bytes the
// arithmetic would be slower than the memory.
using Lane = uint64_t __attribute__((vector_size(16)));

Lane LoadLane(const std::byte* bytes) {
  Lane lane;
  std::memcpy(&lane, bytes, sizeof lane);
  return lane;
}

constexpr size_t kLine = 64;
using Sums = std::array<Lane, 4>;

void AddLine(const std::byte* bytes, Sums& sums) {
#pragma GCC unroll 4
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += LoadLane(bytes + i * sizeof(Lane));
}

// Processors differ in what they read fastest: one stream that is asked for ahead line by line, or
// two side by side that their own prefetchers follow as soon as one line of each page of 4 KiB is
// asked for (half as fast again on Zen 5).
uint64_t ReadOneByOne(const std::byte* a, const std::byte* b) {
  constexpr size_t kAhead = 64 * kLine;
  Sums sums = {};
  for (const std::byte* chunk : {a, b}) {
    for (size_t i = 0; i < kChunk; i += kLine) {
      __builtin_prefetch(chunk + i + kAhead);
      AddLine(chunk + i, sums);
    }
  }
  const Lane sum = sums[0] + sums[1] + sums[2] + sums[3];
  return sum[0] + sum[1];
}

uint64_t ReadSideBySide(const std::byte* a, const std::byte* b) {
  Sums of_a = {};
  Sums of_b = {};
  constexpr size_t kPage = 4096;
  for (size_t page = 0; page < kChunk; page += kPage) {
    __builtin_prefetch(a + page + kPage);
    __builtin_prefetch(b + page + kPage);
    for (size_t i = page; i < page + kPage; i += kLine) {
      AddLine(a + i, of_a);
      AddLine(b + i, of_b);
    }
  }
  const Lane sum = of_a[0] + of_a[1] + of_a[2] + of_a[3] + of_b[0] + of_b[1] + of_b[2] + of_b[3];
  return sum[0] + sum[1];
}

}  // namespace

// Anonymous memory of its own, so that it counts for this process only as long as this lives.
class MemoryReader::Buffer {
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

MemoryReader::MemoryReader(ThreadPool& pool) : pool_(pool), buffer_(std::make_unique<Buffer>()) {
  // Pages that were never written would all be the same one.
  pool_.ParallelFor(kChunks, [&](size_t i, int) { std::memset(buffer_->chunk(i), 1, kChunk); });
}

MemoryReader::~MemoryReader() = default;

template <typename Read>
double MemoryReader::Pass(const Read& read) {
  using Clock = std::chrono::steady_clock;
  constexpr size_t kHalf = kChunks / 2;
  std::atomic<uint64_t> sink = 0;  // Or the compiler would leave the sums out.
  const Clock::time_point start = Clock::now();
  pool_.ParallelFor(kHalf, [&](size_t i, int) {
    sink.fetch_add(read(buffer_->chunk(i), buffer_->chunk(kHalf + i)), std::memory_order_relaxed);
  });
  const std::chrono::duration<double> taken = Clock::now() - start;
  return static_cast<double>(kBytes) / taken.count();
}

double MemoryReader::Measure() { return std::max(Pass(ReadOneByOne), Pass(ReadSideBySide)); }

double MeasureReadBandwidth(ThreadPool& pool) {
  MemoryReader reader(pool);
  double best = 0;
  for (int i = 0; i < kRepetitions; ++i) best = std::max(best, reader.Measure());
  return best;
}

}  // namespace litertlm
