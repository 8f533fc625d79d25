// A repository as the hub stores it: each file with the checksums that the hub states.
#ifndef LITERTLM_TESTS_HUB_STORED_REPOSITORY_H_
#define LITERTLM_TESTS_HUB_STORED_REPOSITORY_H_

#include <string>
#include <vector>

#include "base/json.h"
#include "tests/hub/hub_server.h"

namespace litertlm {

struct StoredFile {
  ServedFile file;
  std::string git_oid;  ///< Of the file, or of its pointer.
  std::string sha256;   ///< Empty for small files.
};

struct StoredRepository {
  ServedRepository repository;
  std::vector<StoredFile> blobs;
};

StoredRepository Store(ServedRepository repository);
/// What a listing says of a file, and the hub's API of a repository.
Json EntryOf(const StoredFile& blob);
Json InfoOf(const StoredRepository& stored);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_HUB_STORED_REPOSITORY_H_
