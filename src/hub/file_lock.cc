#include "hub/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "litertlm/error.h"

namespace litertlm {

FileLock::FileLock(const std::filesystem::path& path) {
  std::error_code ignored;  // What is wrong shows when the file is opened.
  std::filesystem::create_directories(path.parent_path(), ignored);
  file_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file_.is_open()) {
    throw Error(ErrorCode::kCannotCreate,
                fmt::format("Cannot create {}: {}.", path.string(), std::strerror(errno)),
                "Check the permissions of the folder, or choose another with --models-dir.");
  }
}

bool FileLock::Try() { return ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0; }

}  // namespace litertlm
