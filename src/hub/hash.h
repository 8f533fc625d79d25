// The two checksums by which the hub names what a file holds.
#ifndef LITERTLM_HUB_HASH_H_
#define LITERTLM_HUB_HASH_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/file.h"

namespace litertlm {

/// What a file must be. The hub states the SHA-256 of large files, and for small ones the name that
/// git gives them: the SHA-1 of "blob SIZE\0" and the content. A mirror may state neither.
struct ContentId {
  uint64_t size = 0;
  std::string sha256 = {};   ///< 64 lower-case hex digits, or empty.
  std::string git_oid = {};  ///< 40 lower-case hex digits, or empty.

  bool operator==(const ContentId&) const = default;
};

/// True if `text` has `digits` lower-case hex digits and nothing else.
bool IsHex(std::string_view text, size_t digits);

class Hasher {
 public:
  /// Computes the checksum that `id` has; of both, the SHA-256. There must be one.
  explicit Hasher(const ContentId& id);
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  ~Hasher();
  void Update(Bytes bytes);
  bool Matches();

 private:
  std::string expected_;
  void* context_;
};

/// Whether the file at `path` has the size and the checksum of `id`. `keep_going` is asked now and
/// then; when it says false, the answer is false.
bool FileMatches(const std::filesystem::path& path, const ContentId& id,
                 const std::function<bool()>& keep_going = {});

}  // namespace litertlm

#endif  // LITERTLM_HUB_HASH_H_
