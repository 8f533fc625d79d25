#include "hub/partial_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libdeflate.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "litertlm/error.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

constexpr size_t kHeaderSize = 256;
constexpr uint64_t kRecorded = uint64_t{1} << 32;

fs::path WithSuffix(fs::path path, std::string_view suffix) { return path += suffix; }

[[noreturn]] void ThrowErrno(ErrorCode code, std::string_view doing, const fs::path& path) {
  const int error = errno;
  if (error == ENOSPC || error == EDQUOT) {
    throw Error(ErrorCode::kIo, fmt::format("The disk is full: {} cannot grow.", path.string()),
                "Free disk space and run the same command again to go on from there, or choose "
                "another disk with --models-dir.");
  }
  if (error == EFBIG) {
    throw Error(ErrorCode::kIo,
                fmt::format("{} would be larger than a file may be here.", path.string()),
                "Choose a disk with another file system with --models-dir, or lift the limit that "
                "`ulimit -f` shows.");
  }
  if (error == EACCES || error == EPERM || error == EROFS) code = ErrorCode::kDenied;
  throw Error(code, fmt::format("Cannot {} {}: {}.", doing, path.string(), std::strerror(error)),
              "Check the permissions of the folder, or choose another with --models-dir.");
}

std::string Header(const ContentId& content) {
  std::string header = fmt::format("litert-lm-cli download 1\nsize {}\nsha256 {}\ngit {}\n",
                                   content.size, content.sha256, content.git_oid);
  header.resize(kHeaderSize, '\n');
  return header;
}

uint64_t BlockCount(uint64_t size) { return (size + kBlockSize - 1) / kBlockSize; }

uint64_t BlockBytes(uint64_t size, uint64_t block) {
  return std::min(kBlockSize, size - block * kBlockSize);
}

// What a block's record should be.
uint64_t RecordOf(Bytes bytes) {
  return kRecorded | libdeflate_crc32(0, bytes.data(), bytes.size());
}

void WriteAt(int fd, uint64_t offset, Bytes bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      ThrowErrno(ErrorCode::kIo, "write", path);
    }
    offset += static_cast<uint64_t>(n);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

// Reads up to `size` bytes; fewer at the end of the file or if reading fails.
std::string ReadAt(int fd, uint64_t offset, uint64_t size) {
  std::string bytes(size, '\0');
  uint64_t done = 0;
  while (done < size) {
    const ssize_t n =
        ::pread(fd, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<uint64_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

// The records in an open map, or none if it is of another file.
std::vector<uint64_t> ReadRecords(int map, const ContentId& content) {
  if (ReadAt(map, 0, kHeaderSize) != Header(content)) return {};
  const uint64_t count = BlockCount(content.size);
  struct stat info;
  if (::fstat(map, &info) != 0 ||
      static_cast<uint64_t>(info.st_size) != kHeaderSize + count * sizeof(uint64_t)) {
    return {};
  }
  const std::string bytes = ReadAt(map, kHeaderSize, count * sizeof(uint64_t));
  std::vector<uint64_t> records(count);
  if (bytes.size() != count * sizeof(uint64_t)) return {};
  std::memcpy(records.data(), bytes.data(), bytes.size());
  return records;
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

PartialFile::PartialFile(fs::path path, const ContentId& content)
    : path_(std::move(path)), size_(content.size), records_(BlockCount(content.size)) {
  std::error_code error;
  fs::create_directories(path_.parent_path(), error);
  if (error) {
    errno = error.value();
    ThrowErrno(ErrorCode::kCannotCreate, "create the folder", path_.parent_path());
  }
  const fs::path map_path = WithSuffix(path_, kBlockMapSuffix);
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  data_ = FileDescriptor(::open(partial_path().c_str(), kFlags, 0644));
  if (!data_.is_open()) ThrowErrno(ErrorCode::kCannotCreate, "create", partial_path());
  map_ = FileDescriptor(::open(map_path.c_str(), kFlags, 0644));
  if (!map_.is_open()) ThrowErrno(ErrorCode::kCannotCreate, "create", map_path);
  const std::vector<uint64_t> records = ReadRecords(map_.get(), content);
  struct stat info;
  const bool resumes = !records.empty() && ::fstat(data_.get(), &info) == 0 &&
                       static_cast<uint64_t>(info.st_size) == size_;
  for (uint64_t i = 0; resumes && i < records.size(); ++i) {
    records_[i] = records[i];
    if (records[i] != 0) stored_ += BlockBytes(size_, i);
  }
  if (resumes) return;
  // The header comes last: until it is there, the map is that of no file.
  const bool cleared =
      ::ftruncate(map_.get(), 0) == 0 && ::ftruncate(data_.get(), 0) == 0 &&
      ::ftruncate(data_.get(), static_cast<off_t>(size_)) == 0 &&
      ::ftruncate(map_.get(), static_cast<off_t>(kHeaderSize + records_.size() * 8)) == 0;
  if (!cleared) {
    const int why = errno;
    Discard();
    errno = why;
    ThrowErrno(ErrorCode::kIo, "write", partial_path());
  }
  WriteAt(map_.get(), 0, AsBytes(Header(content)), map_path);
}

fs::path PartialFile::partial_path() const { return WithSuffix(path_, kPartialSuffix); }

ByteRange PartialFile::Extent(uint64_t block) const {
  const uint64_t begin = block * kBlockSize;
  return {begin, begin + BlockBytes(size_, block)};
}

bool PartialFile::Store(uint64_t block, Bytes bytes) {
  const uint64_t record = RecordOf(bytes);
  const uint64_t before = records_[block];
  if (before == record) return false;
  WriteAt(data_.get(), Extent(block).begin, bytes, partial_path());
  Record(block, record);
  if (before == 0) stored_ += bytes.size();
  return true;
}

void PartialFile::Forget(uint64_t block) {
  if (!Has(block)) return;
  Record(block, 0);
  stored_ -= BlockBytes(size_, block);
}

void PartialFile::Record(uint64_t block, uint64_t value) {
  const std::string_view bytes(reinterpret_cast<const char*>(&value), sizeof value);
  WriteAt(map_.get(), kHeaderSize + block * sizeof value, AsBytes(bytes), path_);
  records_[block] = value;
}

std::vector<uint64_t> PartialFile::DamagedBlocks() const {
  std::vector<uint64_t> damaged;
  for (uint64_t i = 0; i < blocks(); ++i) {
    if (!Has(i)) continue;
    const ByteRange extent = Extent(i);
    const std::string bytes = ReadAt(data_.get(), extent.begin, extent.end - extent.begin);
    if (bytes.size() != extent.end - extent.begin || RecordOf(AsBytes(bytes)) != records_[i]) {
      damaged.push_back(i);
    }
  }
  return damaged;
}

void PartialFile::Settle() {
  if (::fsync(data_.get()) != 0) ThrowErrno(ErrorCode::kIo, "write", partial_path());
  ::posix_fadvise(data_.get(), 0, 0, POSIX_FADV_DONTNEED);
}

void PartialFile::Commit() {
  if (::fsync(data_.get()) != 0) ThrowErrno(ErrorCode::kIo, "write", partial_path());
  std::error_code error;
  fs::rename(partial_path(), path_, error);
  if (error) {
    errno = error.value();
    ThrowErrno(ErrorCode::kCannotCreate, "create", path_);
  }
  fs::remove(WithSuffix(path_, kBlockMapSuffix), error);
}

void PartialFile::Discard() {
  std::error_code ignored;
  fs::remove(WithSuffix(path_, kBlockMapSuffix), ignored);
  fs::remove(partial_path(), ignored);
}

uint64_t PartialFile::StoredBytes(const fs::path& path, const ContentId& content) {
  const FileDescriptor map(::open(WithSuffix(path, kBlockMapSuffix).c_str(), O_RDONLY | O_CLOEXEC));
  if (!map.is_open()) return 0;
  const std::vector<uint64_t> records = ReadRecords(map.get(), content);
  uint64_t stored = 0;
  for (uint64_t i = 0; i < records.size(); ++i) {
    if (records[i] != 0) stored += BlockBytes(content.size, i);
  }
  return stored;
}

}  // namespace litertlm
