#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/pages.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

[[noreturn]] void ThrowErrno(ErrorCode fallback, std::string_view doing,
                             const std::filesystem::path& path) {
  const int error = errno;
  ErrorCode code = fallback;
  std::string hint;
  if (error == ENOENT || error == ENOTDIR) {
    code = fallback == ErrorCode::kIo ? ErrorCode::kNotFound : fallback;
  } else if (error == EACCES || error == EPERM || error == EROFS) {
    code = ErrorCode::kDenied;
    hint = "Check the permissions of the file and of its folder.";
  } else if (error == ENOSPC || error == EDQUOT) {
    code = ErrorCode::kIo;
    hint = "Free disk space, or choose another place.";
  } else if (error == EFBIG) {
    code = ErrorCode::kIo;
    hint = "Choose a disk with another file system, or lift the limit that `ulimit -f` shows.";
  }
  throw Error(code, fmt::format("Cannot {} {}: {}.", doing, path.string(), std::strerror(error)),
              hint);
}

// Closes a descriptor when a constructor leaves early.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

constexpr std::string_view kPartialSuffix = ".partial";

/// What is written at once. ext4 keeps blocks of this size, at multiples of it, in huge pages where
/// the kernel can, and mapping a model's weights later takes a tenth of the time
/// (docs/performance.md).
constexpr size_t kBlockBytes = size_t{4} << 20;

/// The process that writes `path` under a temporary name `name`: NAME.PID.partial. 0 if it is none.
pid_t WriterOf(std::string_view name, const std::filesystem::path& path) {
  const std::string stem = path.filename().string() + ".";
  if (!name.starts_with(stem) || !name.ends_with(kPartialSuffix) ||
      name.size() < stem.size() + kPartialSuffix.size()) {
    return 0;
  }
  const char* begin = name.data() + stem.size();
  const char* end = name.data() + name.size() - kPartialSuffix.size();
  pid_t process = 0;
  const auto [stop, error] = std::from_chars(begin, end, process);
  return error == std::errc() && stop == end && process > 0 ? process : 0;
}

/// Removes what processes that ended suddenly left of `path`. A number that means no process here
/// may mean one in another container: such a writer still holds its lock.
void RemoveLeftovers(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const pid_t writer = WriterOf(entry.path().filename().string(), path);
    if (writer == 0 || ::kill(writer, 0) == 0 || errno != ESRCH) continue;
    const Descriptor fd(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (fd.get() >= 0 && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(entry.path().c_str());
  }
}

/// A file that is renamed to the name of a device or a pipe takes its place.
void RefuseSpecialFile(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status)) return;
  throw Error(ErrorCode::kCannotCreate,
              fmt::format("Cannot create {}: it is a {}.", path.string(),
                          std::filesystem::is_directory(status) ? "folder" : "device or a pipe"),
              "Give the name of a file.");
}

}  // namespace

Bytes Subrange(Bytes whole, uint64_t offset, uint64_t size, std::string_view what) {
  if (offset > whole.size() || size > whole.size() - offset) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{} lies at bytes {} to {}, but only {} bytes are there.", what, offset,
                            offset + size, whole.size()),
                "The file is damaged or incomplete; fetch or convert it again.");
  }
  return whole.subspan(offset, size);
}

MappedFile MappedFile::Open(const std::filesystem::path& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) ThrowErrno(ErrorCode::kIo, "open", path);
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) ThrowErrno(ErrorCode::kIo, "read", path);
  if (!S_ISREG(info.st_mode)) {
    throw Error(ErrorCode::kNotFound, fmt::format("{} is not a file.", path.string()));
  }
  MappedFile file;
  file.path_ = path;
  file.size_ = static_cast<size_t>(info.st_size);
  if (file.size_ > 0) {
    void* data = ::mmap(nullptr, file.size_, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (data == MAP_FAILED) ThrowErrno(ErrorCode::kIo, "map", path);
    file.data_ = static_cast<const std::byte*>(data);
    PreferHugePages(data, file.size_);  // For what is read from the disk from now on.
  }
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

std::string ReadFile(const std::filesystem::path& path, uint64_t limit) {
  const MappedFile file = MappedFile::Open(path);
  if (file.bytes().size() > limit) {
    throw Error(ErrorCode::kBadInput, fmt::format("{} has {} bytes; at most {} are expected.",
                                                  path.string(), file.bytes().size(), limit));
  }
  return std::string(AsText(file.bytes()));
}

void CountingSink::WriteZeros(uint64_t count) {
  static constexpr std::array<std::byte, 4096> kZeros{};
  while (count > 0) {
    const uint64_t n = std::min<uint64_t>(count, kZeros.size());
    Write(Bytes(kZeros).first(n));
    count -= n;
  }
}

FoldersOf::FoldersOf(const std::filesystem::path& path) {
  std::error_code error;
  for (auto folder = path.parent_path(); !folder.empty() && !std::filesystem::exists(folder, error);
       folder = folder.parent_path()) {
    made_.push_back(folder);
  }
  if (made_.empty()) return;
  std::filesystem::create_directories(made_.front(), error);
  if (error) {
    RemoveEmpty();
    errno = error.value();
    ThrowErrno(ErrorCode::kCannotCreate, "create the folder", path.parent_path());
  }
}

void FoldersOf::RemoveEmpty() {
  for (const std::filesystem::path& folder : made_) ::rmdir(folder.c_str());
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), folders_(path_) {
  RefuseSpecialFile(path_);
  RemoveLeftovers(path_);
  temporary_ = path_;
  temporary_ += fmt::format(".{}{}", ::getpid(), kPartialSuffix);
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) ThrowErrno(ErrorCode::kCannotCreate, "create", path_);
  block_.reserve(kBlockBytes);      // Of which only what is used takes memory.
  ::flock(fd_, LOCK_EX | LOCK_NB);  // File systems that cannot lock are written all the same.
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) {
    ::close(fd_);
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::Write(Bytes bytes) {
  while (!bytes.empty()) {
    const size_t n = std::min(bytes.size(), kBlockBytes - block_.size());
    block_.insert(block_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(n));
    bytes = bytes.subspan(n);
    if (block_.size() == kBlockBytes) WriteBlock();
  }
}

void AtomicFile::WriteBlock() {
  for (Bytes bytes = block_; !bytes.empty();) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      ThrowErrno(ErrorCode::kIo, "write", path_);
    }
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  written_ += block_.size();
  block_.clear();
}

void AtomicFile::Commit() {
  WriteBlock();
  if (::fsync(fd_) != 0) ThrowErrno(ErrorCode::kIo, "write", path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    ThrowErrno(ErrorCode::kCannotCreate, "create", path_);
  }
  ::close(std::exchange(fd_, -1));
}

}  // namespace litertlm
