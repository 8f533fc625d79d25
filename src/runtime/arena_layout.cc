#include "runtime/arena_layout.h"

#include <iterator>

namespace litertlm {

uint64_t ArenaLayout::Allocate(uint64_t bytes) {
  auto best = free_.end();
  for (auto it = free_.begin(); it != free_.end(); ++it) {
    if (it->second >= bytes && (best == free_.end() || it->second < best->second)) best = it;
  }
  if (best != free_.end()) {
    const auto [offset, available] = *best;
    free_.erase(best);
    if (available > bytes) free_.emplace(offset + bytes, available - bytes);
    return offset;
  }
  // What is free at the end becomes the beginning of the new block.
  uint64_t offset = size_;
  if (!free_.empty() && free_.rbegin()->first + free_.rbegin()->second == size_) {
    offset = free_.rbegin()->first;
    free_.erase(std::prev(free_.end()));
  }
  size_ = offset + bytes;
  return offset;
}

void ArenaLayout::Release(uint64_t offset, uint64_t bytes) {
  if (bytes == 0) return;
  auto block = free_.emplace(offset, bytes).first;
  if (const auto next = std::next(block);
      next != free_.end() && block->first + block->second == next->first) {
    block->second += next->second;
    free_.erase(next);
  }
  if (block == free_.begin()) return;
  const auto previous = std::prev(block);
  if (previous->first + previous->second == block->first) {
    previous->second += block->second;
    free_.erase(block);
  }
}

}  // namespace litertlm
