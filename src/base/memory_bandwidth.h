// How fast this machine reads memory: the limit of decoding, which reads every weight once for each
// token.
#ifndef LITERTLM_BASE_MEMORY_BANDWIDTH_H_
#define LITERTLM_BASE_MEMORY_BANDWIDTH_H_

#include <memory>

#include "base/thread_pool.h"

namespace litertlm {

/// Reads a buffer far larger than caches, which it holds as long as it lives.
class MemoryReader {
 public:
  explicit MemoryReader(ThreadPool& pool);
  MemoryReader(MemoryReader&&) = delete;
  ~MemoryReader();

  /// Bytes per second that the threads of the pool together read: the better of two passes of some
  /// milliseconds, which go different ways.
  double Measure();

 private:
  class Buffer;
  template <typename Read>
  double Pass(const Read& read);

  ThreadPool& pool_;
  std::unique_ptr<Buffer> buffer_;
};

/// Bytes per second that the threads of `pool` together read from memory at best. Takes less than a
/// second.
double MeasureReadBandwidth(ThreadPool& pool);

}  // namespace litertlm

#endif  // LITERTLM_BASE_MEMORY_BANDWIDTH_H_
