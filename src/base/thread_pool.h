// Threads for the arithmetic of one model.
#ifndef LITERTLM_BASE_THREAD_POOL_H_
#define LITERTLM_BASE_THREAD_POOL_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <type_traits>

namespace litertlm {

/// The most threads that a pool has: more than any machine gains from.
inline constexpr int kMaxThreads = 1024;

/// Cores that this process may use: the affinity mask, cut to the cgroup's CPU quota (rounded up)
/// and to physical cores (a second hyper-thread of a core adds nothing to this kind of work). At
/// least 1, at most kMaxThreads.
int DefaultThreadCount();

/// The same for the CPUs in `allowed`, with the files of /proc and /sys looked up below `root`.
int DefaultThreadCount(std::span<const int> allowed, const std::filesystem::path& root);

/// A callable borrowed for the time of one call; what `std::function` does without allocating.
template <typename Signature>
class FunctionRef;
template <typename R, typename... Args>
class FunctionRef<R(Args...)> {
 public:
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
      FunctionRef(F&& f)  // NOLINT(google-explicit-constructor)
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(args...);
        }) {}
  R operator()(Args... args) const { return call_(object_, args...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

/// A fixed set of threads that run one parallel loop at a time. One thread at a time may call
/// `ParallelFor`, always from outside the pool. Between loops the threads watch for the next one
/// for some tens of microseconds and then sleep.
class ThreadPool {
 public:
  /// `threads` counts the caller: 1 means no other thread is started. Throws kUsage for more than
  /// kMaxThreads, or than the system lets this process have.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  /// Calls `task(index, worker)` once for each index in [0, count), in any order, and returns when
  /// all have ended. `worker` is in [0, threads()) and is different for calls that run at the same
  /// time, so it can select scratch memory. Each worker goes through a part of its own in ascending
  /// order, so that what lies in memory in the order of the indices is read as one stream, and then
  /// helps others with theirs: a thread that the system has taken off its core delays only the
  /// index it holds, and one that has not woken up yet is not waited for.
  /// The first exception of a task is rethrown after the loop; indices not begun by then are left.
  void ParallelFor(size_t count, FunctionRef<void(size_t index, int worker)> task);

  /// From the end of the next loop on, `worker` reads `bytes` into its cache whenever it waits, for
  /// the end of a loop or for the next one, until it is told of other bytes: memory is then busy
  /// also while one thread does what cannot be shared. They need not be readable.
  void ReadWhileWaiting(int worker, std::span<const std::byte> bytes);

  /// At least `bytes` bytes of memory for the task that `worker` is running, aligned to 64. It is
  /// kept for the next call, with whatever it then holds. Null if `bytes` is 0.
  std::byte* Scratch(int worker, size_t bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace litertlm

#endif  // LITERTLM_BASE_THREAD_POOL_H_
