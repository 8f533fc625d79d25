#include "base/thread_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <system_error>
#include <thread>
#include <vector>

#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr size_t kCacheLine = 64;

/// How long a thread watches for a change before it sleeps. The pauses between the loops of one
/// token are shorter than this; the pauses between tokens that a user reads are not.
constexpr std::chrono::microseconds kSpin{40};

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// What a thread still has to read ahead.
class AheadReader {
 public:
  /// Goes on if `bytes` are the same as before.
  void Set(std::span<const std::byte> bytes) {
    if (bytes.data() == begin_) return;
    begin_ = bytes.data();
    next_ = begin_;
    end_ = begin_ + bytes.size();
  }

  /// Asks for some lines; false if there are no more.
  bool Read() {
    constexpr int kLines = 4;  // A fraction of a microsecond.
    if (next_ == end_) return false;
    for (int i = 0; i < kLines && next_ != end_; ++i) {
      __builtin_prefetch(next_, 0, 2);  // Into the second-level cache.
      next_ += std::min<size_t>(kCacheLine, static_cast<size_t>(end_ - next_));
    }
    return true;
  }

 private:
  const std::byte* begin_ = nullptr;
  const std::byte* next_ = nullptr;
  const std::byte* end_ = nullptr;
};

/// Returns once `word` differs from `old`: watches for a short time, then sleeps.
uint32_t WaitForChange(const std::atomic<uint32_t>& word, uint32_t old, AheadReader& ahead) {
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; ++i) {
      const uint32_t now = word.load(std::memory_order_acquire);
      if (now != old) return now;
      if (!ahead.Read()) Pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  word.wait(old, std::memory_order_acquire);
  return word.load(std::memory_order_acquire);
}

// The gate: one word tells the workers what to do, and the caller who is inside.
//   bits 0..11   workers inside the loop
//   bit  12      the loop is open: workers may enter
//   bit  13      the pool ends: workers return
//   bits 14..31  number of the loop, so that each worker enters it once
constexpr uint32_t kInside = 0xfff;
static_assert(kMaxThreads <= kInside);
constexpr uint32_t kOpen = 0x1000;
constexpr uint32_t kEnd = 0x2000;
constexpr uint32_t kLoop = 0x4000;
constexpr uint32_t kNoLoop = ~0u;  ///< No loop has this number.

uint32_t LoopOf(uint32_t gate) { return gate / kLoop; }

}  // namespace

struct ThreadPool::State {
  /// Memory that grows as it is asked to.
  class Scratchpad {
   public:
    std::byte* Get(size_t bytes) {
      if (bytes > size_) {
        memory_.reset(
            static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kCacheLine})));
        size_ = bytes;
      }
      return memory_.get();
    }

   private:
    struct Free {
      void operator()(std::byte* memory) const {
        ::operator delete (memory, std::align_val_t{kCacheLine});
      }
    };
    std::unique_ptr<std::byte, Free> memory_;
    size_t size_ = 0;
  };

  /// Indices that one worker is the first to take from: the next of them, and their end.
  struct alignas(kCacheLine) Part {
    std::atomic<size_t> next{0};
    size_t end = 0;
    std::span<const std::byte> ahead;  ///< What the worker reads while it waits.
  };

  // A line that another core has written takes 0.2 us to come, from another chiplet: what workers
  // want at the beginning of a loop is in one, and what the caller writes besides in another.
  alignas(kCacheLine) std::atomic<uint32_t> gate{0};
  std::optional<FunctionRef<void(size_t, int)>> task;
  alignas(kCacheLine) std::atomic<uint32_t> finished{
      kNoLoop};  ///< The loop that the caller waited for.
  AheadReader callers_ahead;
  std::mutex error_mutex;
  std::exception_ptr error;
  alignas(kCacheLine) std::vector<Part> parts;  ///< Of each worker; 0 is the caller.
  std::vector<Scratchpad> scratch;
  std::vector<std::thread> threads;

  void Work(int worker) {
    try {
      for (size_t i = 0; i < parts.size(); ++i) {
        TakeFrom(parts[(worker + i) % parts.size()], worker);
      }
    } catch (...) {
      for (Part& part : parts) part.next = part.end;
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  }

  void TakeFrom(Part& part, int worker) {
    while (part.next.load(std::memory_order_relaxed) < part.end) {
      const size_t i = part.next.fetch_add(1, std::memory_order_relaxed);
      if (i < part.end) (*task)(i, worker);
    }
  }

  /// Enters the open loop; `seen` is the gate's last known value and is brought up to date. False
  /// if the gate has been closed.
  bool Enter(uint32_t& seen) {
    while ((seen & kOpen) != 0) {
      if (gate.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }

  void Leave() {
    const uint32_t before = gate.fetch_sub(1, std::memory_order_acq_rel);
    if ((before & kOpen) == 0 && (before & kInside) == 1) {
      // Sequentially consistent, as is the opening of the gate: notify() looks whether anybody
      // sleeps, and if it could look before this store is seen, it would leave them asleep.
      finished.store(LoopOf(before), std::memory_order_seq_cst);
      finished.notify_one();
    }
  }

  void Loop(int worker) {
    AheadReader ahead;
    uint32_t last = 0;  // The loop that this worker was in.
    uint32_t seen = gate.load(std::memory_order_acquire);
    while ((seen & kEnd) == 0) {
      if ((seen & kOpen) != 0 && LoopOf(seen) != last) {
        // Too late, the gate has a value that was not looked at yet.
        if (!Enter(seen)) continue;
        last = LoopOf(seen);
        ahead.Set(parts[worker].ahead);  // The caller writes it only when nobody is inside.
        Work(worker);
        Leave();
      }
      seen = WaitForChange(gate, seen, ahead);
    }
  }

  void End() {
    gate.fetch_or(kEnd);
    gate.notify_all();
    for (std::thread& thread : threads) thread.join();
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads > kMaxThreads) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("{} threads are more than {}, the most there can be.", threads, kMaxThreads),
        "One for each core is best.");
  }
  state_->scratch.resize(threads > 1 ? threads : 1);
  state_->parts = std::vector<State::Part>(state_->scratch.size());
  try {
    for (int worker = 1; worker < threads; ++worker) {
      state_->threads.emplace_back([state = state_.get(), worker] { state->Loop(worker); });
    }
  } catch (const std::system_error& error) {
    state_->End();
    throw Error(ErrorCode::kUsage,
                fmt::format("Cannot start {} threads: {}.", threads, error.code().message()),
                "Choose fewer with --threads, or lift the limit that `ulimit -u` shows.");
  }
}

ThreadPool::~ThreadPool() { state_->End(); }

int ThreadPool::threads() const { return static_cast<int>(state_->threads.size()) + 1; }

std::byte* ThreadPool::Scratch(int worker, size_t bytes) {
  return state_->scratch[worker].Get(bytes);
}

void ThreadPool::ReadWhileWaiting(int worker, std::span<const std::byte> bytes) {
  state_->parts[worker].ahead = bytes;
}

void ThreadPool::ParallelFor(size_t count, FunctionRef<void(size_t, int)> task) {
  State& s = *state_;
  if (s.threads.empty() || count <= 1) {
    for (size_t i = 0; i < count; ++i) task(i, 0);
    return;
  }
  for (size_t i = 0; i < s.parts.size(); ++i) {
    s.parts[i].next.store(count * i / s.parts.size(), std::memory_order_relaxed);
    s.parts[i].end = count * (i + 1) / s.parts.size();
  }
  s.task = task;
  s.error = nullptr;
  s.finished.store(kNoLoop, std::memory_order_relaxed);
  // Nobody is inside and the gate is closed: only this thread changes it.
  const uint32_t loop = s.gate.load(std::memory_order_relaxed) + kLoop;
  s.gate.store(loop | kOpen, std::memory_order_seq_cst);
  s.gate.notify_all();
  s.callers_ahead.Set(s.parts[0].ahead);
  s.Work(0);
  const uint32_t at_close = s.gate.fetch_and(~kOpen, std::memory_order_acq_rel);
  if ((at_close & kInside) != 0) {
    for (uint32_t last = s.finished.load(std::memory_order_acquire); last != LoopOf(loop);) {
      last = WaitForChange(s.finished, last, s.callers_ahead);
    }
  }
  if (s.error) std::rethrow_exception(s.error);
}

}  // namespace litertlm
