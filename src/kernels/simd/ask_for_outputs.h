// Getting hold of memory before it is written.
#ifndef LITERTLM_KERNELS_SIMD_ASK_FOR_OUTPUTS_H_
#define LITERTLM_KERNELS_SIMD_ASK_FOR_OUTPUTS_H_

#include <cstddef>

namespace litertlm {

/// Asks for the lines of kRows rows of kOutputs numbers, `stride` numbers apart, for writing. A
/// core owns a line before it writes to it: it reads it from memory, or has another core give it
/// up, which had read the last layer's numbers there. Asked for before the sums of a tile are
/// computed, the lines are there when the sums are.
template <size_t kRows, size_t kOutputs>
[[gnu::always_inline]] inline void AskForOutputs(const float* y, size_t stride) {
  constexpr size_t kLine = 64 / sizeof(float);
  for (size_t r = 0; r < kRows; ++r, y += stride) {
    for (size_t i = 0; i < kOutputs; i += kLine) __builtin_prefetch(y + i, 1);
  }
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_ASK_FOR_OUTPUTS_H_
