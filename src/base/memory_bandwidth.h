// How fast this machine reads memory: the limit of decoding, which reads every weight once for each
// token.
#ifndef LITERTLM_BASE_MEMORY_BANDWIDTH_H_
#define LITERTLM_BASE_MEMORY_BANDWIDTH_H_

#include "base/thread_pool.h"

namespace litertlm {

/// Bytes per second that the threads of `pool` together read from memory at best. Takes less than a
/// second, and a buffer far larger than caches, which is given back.
double MeasureReadBandwidth(ThreadPool& pool);

}  // namespace litertlm

#endif  // LITERTLM_BASE_MEMORY_BANDWIDTH_H_
