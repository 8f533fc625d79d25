// Pages of large memory. The first touch of a page is a fault, which takes microseconds on some
// virtual machines: many pages at once, or large ones, take a fraction of that. All of this is only
// a wish to the kernel, and never an error.
#ifndef LITERTLM_BASE_PAGES_H_
#define LITERTLM_BASE_PAGES_H_

#include <cstddef>
#include <span>
#include <thread>
#include <vector>

namespace litertlm {

/// Asks the kernel for huge pages (2 MiB on x86-64) where they fit into [data, data + bytes): each
/// is one fault instead of 512. For memory that is about to be filled, or a mapped file.
void PreferHugePages(const void* data, size_t bytes);

/// The same for memory that is filled already: moves it into huge pages at once, where the kernel
/// can (Linux 6.1 on).
void MoveIntoHugePages(const void* data, size_t bytes);

/// Makes the pages of memory that is about to be filled; what it holds stays (Linux 5.14 on).
void MakePages(const void* data, size_t bytes);

/// The same with huge pages where they fit.
void MakeHugePages(const void* data, size_t bytes);

/// Reserves room for `count` elements of a vector or string that will be filled.
template <typename Container>
void ReserveInHugePages(Container& container, size_t count) {
  container.reserve(count);
  MakeHugePages(container.data(), count * sizeof(typename Container::value_type));
}

/// Maps the pages of files that are about to be read, on a thread of its own, which reads them from
/// the disk as well if it must.
class PageMapper {
 public:
  /// `parts` are mapped and stay so for the life of this object.
  explicit PageMapper(std::vector<std::span<const std::byte>> parts);
  PageMapper(const PageMapper&) = delete;
  PageMapper& operator=(const PageMapper&) = delete;
  ~PageMapper() = default;  ///< Stops.

 private:
  std::jthread thread_;
};

}  // namespace litertlm

#endif  // LITERTLM_BASE_PAGES_H_
