// Reading weights from memory ahead of their use.
#ifndef LITERTLM_KERNELS_SIMD_READ_AHEAD_H_
#define LITERTLM_KERNELS_SIMD_READ_AHEAD_H_

#include <cstddef>
#include <cstdint>

namespace litertlm {

// Internal to the file of one instruction set, like the templates.

static constexpr size_t kBytesAhead = 8192;

/// For a stream that has come to vectors[offset], asks for the line kBytesAhead further on.
/// Processors read ahead themselves, but stop at the end of 4 KiB, also within huge pages, learn of
/// a stream anew in the next ones, and stay too near to it: a third of the speed of one thread on
/// Zen 5.
///
/// kPast: what is read once goes past the second-level cache. There it would push out the program
/// and the activations, which the first level cannot keep alone, and be passed on to the third.
///
/// Does nothing unless `offset` is whole lines away, so that vectors shorter than a line ask for it
/// once: give an offset that the compiler knows.
template <bool kPast, typename T>
[[gnu::always_inline]] static inline void ReadAhead(const T* vectors, size_t offset = 0) {
  constexpr size_t kLine = 64 / sizeof(T);
  constexpr size_t kDistance = kBytesAhead / sizeof(T);
  constexpr int kKeep = kPast ? 0 : 3;
  if (offset % kLine == 0) __builtin_prefetch(vectors + offset + kDistance, /*rw=*/0, kKeep);
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_READ_AHEAD_H_
