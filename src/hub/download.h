// Files of a repository, brought into a folder.
#ifndef LITERTLM_HUB_DOWNLOAD_H_
#define LITERTLM_HUB_DOWNLOAD_H_

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/progress.h"
#include "hub/hub_client.h"
#include "hub/repository.h"

namespace litertlm {

struct DownloadOptions {
  int connections = 4;
  Progress* progress = nullptr;  ///< One phase for each file. May be null.
  uint64_t reserve = 0;          ///< Disk space that must be free besides, for what follows.
};

/// Makes `folder` hold `files` of `repository`, under their names there. A file that is there
/// already and has the right checksum is left alone; one that was begun is gone on with, from where
/// it stopped, whatever stopped it. Several files, and several parts of a large one, come at once.
/// A file gets its name only when size and checksum are right; a part that arrived wrong is found
/// and fetched again.
///
/// Throws what HubClient throws, and kIo (before the first byte) if the disk has too little room.
/// After an error what was received is kept for the next time; a file that never began leaves
/// nothing.
void Download(const HubOptions& hub, const Repository& repository,
              const std::vector<RemoteFile>& files, const std::filesystem::path& folder,
              const DownloadOptions& options);

}  // namespace litertlm

#endif  // LITERTLM_HUB_DOWNLOAD_H_
