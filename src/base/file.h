// Files: read by mapping, written whole or not at all.
#ifndef LITERTLM_BASE_FILE_H_
#define LITERTLM_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace litertlm {

using Bytes = std::span<const std::byte>;

inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes AsBytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// `whole` cut to [offset, offset + size). Throws kBadInput naming `what` if that is not inside.
Bytes Subrange(Bytes whole, uint64_t offset, uint64_t size, std::string_view what);

/// A read-only mapping of a whole file. The bytes stay valid, at the same address, for the life of
/// the object, moves included. Any thread may read them.
class MappedFile {
 public:
  /// Throws kNotFound, kDenied or kIo naming the path. An empty file maps to no bytes.
  static MappedFile Open(const std::filesystem::path& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  Bytes bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// Reads a small file into memory; throws kBadInput if it is larger than `limit` bytes.
std::string ReadFile(const std::filesystem::path& path, uint64_t limit = uint64_t{64} << 20);

/// Receives bytes in order.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void Write(Bytes bytes) = 0;
};

/// Passes bytes on and counts them, so that a producer that breaks its promise is noticed.
class CountingSink : public ByteSink {
 public:
  explicit CountingSink(ByteSink& sink) : sink_(sink) {}
  void Write(Bytes bytes) override {
    count_ += bytes.size();
    sink_.Write(bytes);
  }
  void WriteZeros(uint64_t count);
  uint64_t count() const { return count_; }

 private:
  ByteSink& sink_;
  uint64_t count_ = 0;
};

/// The folders that a new file needs. The destructor removes those that it made and that nobody
/// uses.
class FoldersOf {
 public:
  /// Throws kCannotCreate, kDenied or kIo.
  explicit FoldersOf(const std::filesystem::path& path);
  FoldersOf(const FoldersOf&) = delete;
  FoldersOf& operator=(const FoldersOf&) = delete;
  ~FoldersOf() { RemoveEmpty(); }

 private:
  void RemoveEmpty();

  std::vector<std::filesystem::path> made_;  // The innermost first.
};

/// A file that appears under its name only when `Commit` has returned: until then it lies beside it
/// under a temporary name, NAME.PID.partial, which the destructor removes. What a process left that
/// was killed meanwhile, the next one to write the same file removes. One thread.
class AtomicFile : public ByteSink {
 public:
  /// Creates the missing folders of `path`, which may be a file already but nothing else. Throws
  /// kCannotCreate, kDenied or kIo.
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() override;

  /// Bytes are collected to large blocks. Throws kIo naming the path when the disk is full.
  void Write(Bytes bytes) override;
  uint64_t written() const { return written_ + block_.size(); }
  /// Flushes to the disk and renames. Throws as Write does.
  void Commit();

 private:
  void WriteBlock();

  std::filesystem::path path_;
  FoldersOf folders_;
  std::filesystem::path temporary_;
  int fd_ = -1;
  std::vector<std::byte> block_;  // Of the file, behind what is written.
  uint64_t written_ = 0;
};

}  // namespace litertlm

#endif  // LITERTLM_BASE_FILE_H_
