// Large pages for large memory.
#ifndef LITERTLM_BASE_HUGE_PAGES_H_
#define LITERTLM_BASE_HUGE_PAGES_H_

#include <cstddef>

namespace litertlm {

/// Asks the kernel for huge pages (2 MiB on x86-64) where they fit into [data, data + bytes):
/// making one takes far less time than making the 512 small pages that it stands for. For memory
/// that is about to be filled, or a mapped file. Only a wish, and never an error.
void PreferHugePages(const void* data, size_t bytes);

/// The same for memory that is filled already: moves it into huge pages at once, where the kernel
/// can (Linux 6.1 on).
void MoveIntoHugePages(const void* data, size_t bytes);

}  // namespace litertlm

#endif  // LITERTLM_BASE_HUGE_PAGES_H_
