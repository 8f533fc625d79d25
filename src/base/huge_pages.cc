#include "base/huge_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace litertlm {
namespace {

/// MADV_COLLAPSE, which the C library's headers may be too old for (asm-generic/mman-common.h).
constexpr int kCollapse = 25;

/// For the pages of [data, data + bytes), if a huge one fits.
void Advise(const void* data, size_t bytes, int advice) {
  constexpr size_t kLeastBytes = size_t{2} << 20;
  if (bytes < kLeastBytes) return;
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(data) + bytes;
  ::madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}

}  // namespace

void PreferHugePages(const void* data, size_t bytes) { Advise(data, bytes, MADV_HUGEPAGE); }

void MoveIntoHugePages(const void* data, size_t bytes) {
  PreferHugePages(data, bytes);
  Advise(data, bytes, kCollapse);
}

}  // namespace litertlm
