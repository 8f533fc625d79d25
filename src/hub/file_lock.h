// A lock between processes.
#ifndef LITERTLM_HUB_FILE_LOCK_H_
#define LITERTLM_HUB_FILE_LOCK_H_

#include <filesystem>

#include "hub/partial_file.h"

namespace litertlm {

/// Held until the object or the process ends, however that ends. The file stays: removing it would
/// let a third process lock a file that a second still waits for.
class FileLock {
 public:
  /// Creates `path` and its folder. Throws kCannotCreate.
  explicit FileLock(const std::filesystem::path& path);
  /// False if another process holds it.
  bool Try();

 private:
  FileDescriptor file_;
};

}  // namespace litertlm

#endif  // LITERTLM_HUB_FILE_LOCK_H_
