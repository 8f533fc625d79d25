// A file that arrives in pieces, from several connections, over several runs.
//
//   FILE.partial  the bytes, each at its place
//   FILE.blocks   a header that says what file this is, then 8 bytes for each block of 256 KiB:
//                 0 while the block is missing, else 2^32 plus the CRC-32 of what was received
//
// A block is recorded after its bytes are written, so that a process killed at any moment leaves
// nothing recorded that is not there, and loses at most the blocks it was receiving. After a power
// failure the disk may have kept the record and not the bytes: the checksums find such blocks.
#ifndef LITERTLM_HUB_PARTIAL_FILE_H_
#define LITERTLM_HUB_PARTIAL_FILE_H_

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "hub/hash.h"
#include "hub/http.h"

namespace litertlm {

inline constexpr std::string_view kPartialSuffix = ".partial";
inline constexpr std::string_view kBlockMapSuffix = ".blocks";
inline constexpr uint64_t kBlockSize = uint64_t{256} << 10;

/// Closes itself.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// `Store`, `Has` and `stored` may be called from several threads, for different blocks.
class PartialFile {
 public:
  /// Goes on with what is there if it belongs to a file with this content, else begins anew.
  /// Creates missing folders. Throws kCannotCreate, kDenied or kIo.
  PartialFile(std::filesystem::path path, const ContentId& content);

  const std::filesystem::path& path() const { return path_; }  ///< Of the finished file.
  std::filesystem::path partial_path() const;
  uint64_t blocks() const { return records_.size(); }
  /// The place of a block in the file; the last one may be short.
  ByteRange Extent(uint64_t block) const;
  bool Has(uint64_t block) const { return records_[block] != 0; }
  uint64_t stored() const { return stored_; }  ///< Bytes in recorded blocks.

  /// `bytes` are all those of the block. Throws kIo when the disk is full. Returns whether they
  /// differ from what was recorded.
  bool Store(uint64_t block, Bytes bytes);
  void Forget(uint64_t block);
  /// Recorded blocks whose bytes on disk are not those that were received.
  std::vector<uint64_t> DamagedBlocks() const;

  /// Writes what is stored to the disk and takes it out of the system's cache: the next reader gets
  /// what the disk has, and a mapped file gets it in huge pages where the kernel can, which the
  /// small blocks that arrived never lie in (docs/performance.md). Throws kIo.
  void Settle();
  /// Every block is there and proven: gives the file its name.
  void Commit();
  /// Removes what is there.
  void Discard();

  /// Bytes of the download to `path` that are there already, without touching it; 0 if there is
  /// none of this content.
  static uint64_t StoredBytes(const std::filesystem::path& path, const ContentId& content);

 private:
  void Record(uint64_t block, uint64_t value);

  std::filesystem::path path_;
  uint64_t size_;
  FileDescriptor data_;
  FileDescriptor map_;
  std::vector<std::atomic<uint64_t>> records_;
  std::atomic<uint64_t> stored_{0};
};

}  // namespace litertlm

#endif  // LITERTLM_HUB_PARTIAL_FILE_H_
