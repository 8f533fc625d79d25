// Prefetching for kernels that stream weights past once.
#ifndef LITERTLM_KERNELS_SIMD_STREAM_AHEAD_H_
#define LITERTLM_KERNELS_SIMD_STREAM_AHEAD_H_

#include <cstddef>

namespace litertlm {

/// How far ahead of its use memory is asked for. Further than a few lines, so that the next page is
/// touched in time, and near enough to be still in the first-level cache when its turn comes.
inline constexpr size_t kStreamAhead = 1024;
inline constexpr size_t kCacheLine = 64;

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_STREAM_AHEAD_H_
