// Which pages are there is what the kernel says: /proc/self/pagemap has 8 bytes for each, the
// highest bit of which tells whether the page is in memory and mapped.
#include "base/pages.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

#include "base/file.h"
#include "tests/scratch_path.h"

namespace litertlm {
namespace {

size_t PageSize() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }

/// How many pages of [data, data + bytes) are mapped; `data` begins a page.
size_t MappedPages(const void* data, size_t bytes) {
  const int pagemap = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  const auto first = reinterpret_cast<uintptr_t>(data) / PageSize();
  size_t mapped = 0;
  for (size_t i = 0; i < bytes / PageSize(); ++i) {
    uint64_t entry = 0;
    EXPECT_EQ(::pread(pagemap, &entry, sizeof entry, static_cast<off_t>((first + i) * 8)), 8);
    mapped += entry >> 63;
  }
  ::close(pagemap);
  return mapped;
}

class Mapping {
 public:
  explicit Mapping(size_t bytes)
      : bytes_(bytes),
        data_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    ::madvise(data_, bytes, MADV_NOHUGEPAGE);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(data_, bytes_); }
  char* data() const { return static_cast<char*>(data_); }

 private:
  size_t bytes_;
  void* data_;
};

/// Old kernels make no pages ahead, and some sandboxes have no pagemap.
bool KernelMakesPagesAndTells() {
  constexpr int kPopulateWrite = 23;
  const Mapping page(PageSize());
  return ::madvise(page.data(), PageSize(), kPopulateWrite) == 0 &&
         ::access("/proc/self/pagemap", R_OK) == 0;
}

TEST(Pages, AreMadeAndKeepWhatTheyHold) {
  if (!KernelMakesPagesAndTells()) GTEST_SKIP() << "This kernel cannot, or does not tell.";
  const size_t page = PageSize();
  const Mapping mapping(8 * page);
  std::strcpy(mapping.data() + 3 * page + 5, "kept");
  ASSERT_EQ(MappedPages(mapping.data(), 8 * page), 1u);
  // From the middle of the second page to the first byte of the sixth.
  MakePages(mapping.data() + page + page / 2, 3 * page + page / 2 + 1);
  EXPECT_EQ(MappedPages(mapping.data(), 8 * page), 5u);
  EXPECT_EQ(MappedPages(mapping.data() + page, 5 * page), 5u);
  EXPECT_STREQ(mapping.data() + 3 * page + 5, "kept");
}

TEST(Pages, NothingIsNoMistake) {
  MakePages(nullptr, 0);
  MakeHugePages(nullptr, 0);
  MoveIntoHugePages(nullptr, 0);
  PageMapper nothing({});
}

TEST(Pages, OfFilesAreMapped) {
  if (!KernelMakesPagesAndTells()) GTEST_SKIP() << "This kernel cannot, or does not tell.";
  const std::filesystem::path path = ScratchPathOfTest();
  constexpr size_t kBytes = size_t{40} << 20;
  {
    AtomicFile file(path);
    const std::string block(size_t{1} << 20, 'w');
    for (size_t i = 0; i < kBytes; i += block.size()) file.Write(AsBytes(block));
    file.Commit();
  }
  const MappedFile file = MappedFile::Open(path);
  std::filesystem::remove(path);
  const Bytes bytes = file.bytes();
  const Bytes second_half = bytes.subspan(kBytes / 2);
  const PageMapper mapper({second_half.first(PageSize()), second_half});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (MappedPages(second_half.data(), second_half.size()) < kBytes / 2 / PageSize() &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(MappedPages(second_half.data(), second_half.size()), kBytes / 2 / PageSize());
  EXPECT_EQ(MappedPages(bytes.data(), PageSize()), 0u);
}

}  // namespace
}  // namespace litertlm
