#include "base/pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <stop_token>
#include <system_error>
#include <utility>

namespace litertlm {
namespace {

// What the C library's headers may be too old for (asm-generic/mman-common.h).
constexpr int kPopulateRead = 22;
constexpr int kPopulateWrite = 23;
constexpr int kCollapse = 25;
constexpr size_t kHugePage = size_t{2} << 20;

/// For all pages that have some of [data, data + bytes).
void Advise(const void* data, size_t bytes, int advice) {
  if (bytes == 0) return;
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(data) + bytes;
  ::madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}

}  // namespace

void PreferHugePages(const void* data, size_t bytes) {
  if (bytes >= kHugePage) Advise(data, bytes, MADV_HUGEPAGE);
}

void MoveIntoHugePages(const void* data, size_t bytes) {
  PreferHugePages(data, bytes);
  if (bytes >= kHugePage) Advise(data, bytes, kCollapse);
}

void MakePages(const void* data, size_t bytes) { Advise(data, bytes, kPopulateWrite); }

void MakeHugePages(const void* data, size_t bytes) {
  PreferHugePages(data, bytes);
  MakePages(data, bytes);
}

PageMapper::PageMapper(std::vector<std::span<const std::byte>> parts) {
  const auto map = [parts = std::move(parts)](const std::stop_token& stop) {
    constexpr size_t kPortion = size_t{16} << 20;
    for (std::span<const std::byte> part : parts) {
      while (!part.empty() && !stop.stop_requested()) {
        const size_t count = std::min(part.size(), kPortion);
        Advise(part.data(), count, kPopulateRead);
        part = part.subspan(count);
      }
    }
  };
  try {
    thread_ = std::jthread(map);
  } catch (const std::system_error&) {
    // Without a thread pages are mapped as they are touched.
  }
}

}  // namespace litertlm
