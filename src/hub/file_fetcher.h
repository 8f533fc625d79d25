// Parts of one file, fetched by one thread.
#ifndef LITERTLM_HUB_FILE_FETCHER_H_
#define LITERTLM_HUB_FILE_FETCHER_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "hub/hub_client.h"
#include "hub/partial_file.h"
#include "hub/repository.h"

namespace litertlm {

/// Blocks [begin, end) of a file.
struct BlockRun {
  uint64_t begin = 0;
  uint64_t end = 0;
};

/// Where a file is at the moment: the signed link to it, shared by the threads that fetch it.
class FileLink {
 public:
  FileLink(const Repository& repository, const RemoteFile& file)
      : repository_(repository), file_(file) {}

  /// Asks the hub if nobody has before. Throws kUnavailable if it has another content now.
  std::string Get(HubClient& hub);
  /// `link` does not work any more: ask the hub again.
  void Forget(const std::string& link);

  const RemoteFile& file() const { return file_; }
  HubSubject subject() const {
    return {.name = repository_.name, .revision = repository_.commit, .path = file_.path};
  }

 private:
  const Repository& repository_;
  const RemoteFile& file_;
  std::mutex mutex_;
  std::string link_;
};

struct FetchOutcome {
  bool changed = false;  ///< A block that was recorded before came differently.
  bool trouble = false;  ///< A connection was cut or stalled.
  /// The server sends whole files only: nothing was stored, unless the run began with block 0.
  bool whole_files_only = false;
};

/// Fetches and stores `run`, over as many connections as it takes. Bytes that came before a cut
/// are not asked for again. Throws when it cannot be completed.
FetchOutcome FetchRun(HubClient& hub, FileLink& link, PartialFile& file, BlockRun run);

}  // namespace litertlm

#endif  // LITERTLM_HUB_FILE_FETCHER_H_
