// Reading ahead across the end of a page.
#ifndef LITERTLM_KERNELS_SIMD_NEXT_PAGE_H_
#define LITERTLM_KERNELS_SIMD_NEXT_PAGE_H_

#include <cstddef>
#include <cstdint>

namespace litertlm {

// Internal to the file of one instruction set, like the templates.

/// For each page that begins in [begin, end), asks for the first line of the second page behind it.
/// The hardware's prefetchers stop at the end of 4 KiB, also within huge pages, and learn of a
/// stream anew in the next ones: a wait for memory every few rows, a fifth of the speed on Zen 5.
/// One line that was asked for is enough for them to be there in time; more of them hold up other
/// reads.
[[gnu::always_inline]] static inline void AskForNextPages(const uint8_t* begin,
                                                          const uint8_t* end) {
  constexpr uintptr_t kPage = 4096;
  const uintptr_t first = (reinterpret_cast<uintptr_t>(begin) + kPage - 1) & ~(kPage - 1);
  for (uintptr_t page = first; page < reinterpret_cast<uintptr_t>(end); page += kPage) {
    __builtin_prefetch(reinterpret_cast<const void*>(page + 2 * kPage));
  }
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_NEXT_PAGE_H_
