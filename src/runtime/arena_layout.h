// Offsets for blocks of memory that are needed for a time each.
#ifndef LITERTLM_RUNTIME_ARENA_LAYOUT_H_
#define LITERTLM_RUNTIME_ARENA_LAYOUT_H_

#include <cstdint>
#include <map>

namespace litertlm {

/// Hands out offsets in an arena that grows as needed. Not thread-safe.
class ArenaLayout {
 public:
  /// A free range of `bytes`, which must be a multiple of the alignment that the caller wants.
  uint64_t Allocate(uint64_t bytes);
  void Release(uint64_t offset, uint64_t bytes);
  /// The most that was in use at any time, gaps included.
  uint64_t size() const { return size_; }

 private:
  std::map<uint64_t, uint64_t> free_;  ///< Offset to size; neighbours are merged.
  uint64_t size_ = 0;
};

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_ARENA_LAYOUT_H_
