// A model's files, brought into the folder of models:
//
//   <models>/<org>/<name>/<file>.litertlm     a model file
//   <models>/<org>/<name>/checkpoint/         a checkpoint, always whole
//   <models>/<org>/<name>/checkpoint.partial/ the same while it is downloaded
//   <models>/.locks/<org>--<name>             held by the process that downloads
#ifndef LITERTLM_HUB_FETCH_H_
#define LITERTLM_HUB_FETCH_H_

#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "hub/download.h"
#include "hub/file_lock.h"
#include "hub/hub_client.h"
#include "hub/repository.h"

namespace litertlm {

struct FetchOptions {
  HubOptions hub;
  std::filesystem::path models;
  Progress* progress = nullptr;
  /// Told in one line what the user should know meanwhile. May be empty.
  std::function<void(std::string_view)> notice = {};
};

/// The folder of `name` ("org/name") in `models`.
std::filesystem::path ModelFolder(const std::filesystem::path& models, std::string_view name);
/// The lock of `name`; whoever holds it may change that folder.
FileLock ModelLock(const std::filesystem::path& models, std::string_view name);

/// Brings `files` into the model's folder: a model file, or what else the user chose. Waits while
/// another process downloads the same model. Throws as Download does.
void FetchFiles(const FetchOptions& options, const Repository& repository,
                const std::vector<RemoteFile>& files);

/// Looks at a checkpoint's config.json before anything large is downloaded: throws if the model
/// cannot be converted, else returns the bytes that a conversion will need.
using ConfigCheck =
    std::function<uint64_t(const std::filesystem::path& config, uint64_t weight_bytes)>;

/// Brings the checkpoint into the model's folder and returns where it is: its configuration first,
/// which `check` may refuse, and its weights last.
std::filesystem::path FetchCheckpoint(const FetchOptions& options, const Repository& repository,
                                      const ConfigCheck& check);

}  // namespace litertlm

#endif  // LITERTLM_HUB_FETCH_H_
