#include "hub/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <thread>

#include "base/file.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

constexpr char kCheckpoint[] = "checkpoint";

// Takes the lock, after the process that has it if there is one.
FileLock AwaitLock(const FetchOptions& options, const Repository& repository) {
  FileLock lock = ModelLock(options.models, repository.name);
  bool told = false;
  while (!lock.Try()) {
    if (!told && options.notice) {
      options.notice(
          fmt::format("Another process is downloading {}: waiting for it.", repository.name));
    }
    told = true;
    if (options.progress != nullptr && options.progress->Cancelled()) {
      throw Error(ErrorCode::kInterrupted, "Interrupted while another process downloads.",
                  "Run the same command again to wait for it.");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return lock;
}

// Folders that a download created and left empty.
void RemoveEmptyFolders(fs::path folder, const fs::path& models) {
  std::error_code error;
  for (; folder != models; folder = folder.parent_path()) {
    if (!fs::exists(folder, error)) continue;
    if (!fs::is_empty(folder, error) || !fs::remove(folder, error)) return;
  }
}

// A checkpoint of another revision may have left files that this one does not have.
void RemoveOthers(const fs::path& folder, const std::vector<RemoteFile>& files) {
  std::error_code ignored;
  std::vector<fs::path> others;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const bool wanted = std::any_of(files.begin(), files.end(), [&](const RemoteFile& file) {
      return entry.path().filename() == *fs::path(file.path).begin();
    });
    if (!wanted) others.push_back(entry.path());
  }
  for (const fs::path& other : others) fs::remove_all(other, ignored);
}

bool AllMatch(const fs::path& folder, const std::vector<RemoteFile>& files) {
  std::error_code ignored;
  return std::all_of(files.begin(), files.end(), [&](const RemoteFile& file) {
    const fs::path path = folder / file.path;
    return fs::is_regular_file(path, ignored) && FileMatches(path, file.content);
  });
}

void Rename(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return;
  throw Error(ErrorCode::kCannotCreate,
              fmt::format("Cannot rename {} to {}: {}.", from.string(), to.filename().string(),
                          error.message()),
              "Check the permissions of the folder.");
}

std::string IndexIn(const fs::path& folder, const Repository& repository) {
  if (repository.Find(kWeightsFile) != nullptr) return {};
  return ReadFile(folder / kWeightsIndex);
}

bool IsUpToDate(const fs::path& folder, const Repository& repository) {
  return AllMatch(folder, CheckpointDescription(repository)) &&
         AllMatch(folder, CheckpointWeights(repository, IndexIn(folder, repository)));
}

// Downloads into `folder`; returns all that belongs to the checkpoint.
std::vector<RemoteFile> FetchParts(const FetchOptions& options, const Repository& repository,
                                   const fs::path& folder, const ConfigCheck& check) {
  std::vector<RemoteFile> files = CheckpointDescription(repository);
  // What says whether the rest is wanted, and which files that is.
  std::vector<RemoteFile> first = {*repository.Find(kConfigFile)};
  if (const RemoteFile* index = repository.Find(kWeightsIndex);
      index != nullptr && repository.Find(kWeightsFile) == nullptr) {
    first.push_back(*index);
  }
  Download(options.hub, repository, first, folder, {});
  std::vector<RemoteFile> weights;
  uint64_t reserve = 0;
  try {
    weights = CheckpointWeights(repository, IndexIn(folder, repository));
    if (check) reserve = check(folder / kConfigFile, TotalSize(weights));
  } catch (const Error&) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);  // Of no use: the same would be said again.
    throw;
  }
  files.insert(files.end(), weights.begin(), weights.end());
  Download(options.hub, repository, files, folder,
           {.progress = options.progress, .reserve = reserve});
  return files;
}

}  // namespace

fs::path ModelFolder(const fs::path& models, std::string_view name) { return models / name; }

FileLock ModelLock(const fs::path& models, std::string_view name) {
  std::string file(name);
  file.replace(file.find('/'), 1, "--");
  return FileLock(models / ".locks" / file);
}

void FetchFiles(const FetchOptions& options, const Repository& repository,
                const std::vector<RemoteFile>& files) {
  const FileLock lock = AwaitLock(options, repository);
  const fs::path folder = ModelFolder(options.models, repository.name);
  try {
    Download(options.hub, repository, files, folder, {.progress = options.progress});
  } catch (...) {
    RemoveEmptyFolders(folder, options.models);
    throw;
  }
}

fs::path FetchCheckpoint(const FetchOptions& options, const Repository& repository,
                         const ConfigCheck& check) {
  const FileLock lock = AwaitLock(options, repository);
  fs::path whole = ModelFolder(options.models, repository.name) / kCheckpoint;
  const fs::path partial = fs::path(whole) += kPartialSuffix;
  std::error_code error;
  if (fs::is_symlink(whole, error)) {
    fs::remove(whole, error);
  } else if (fs::is_directory(whole, error)) {
    if (IsUpToDate(whole, repository)) return whole;
    // Another revision: the files that both have are kept, in the place where they are wanted.
    fs::remove_all(partial, error);
    Rename(whole, partial);
  }
  try {
    RemoveOthers(partial, FetchParts(options, repository, partial, check));
  } catch (...) {
    RemoveEmptyFolders(partial, options.models);
    throw;
  }
  Rename(partial, whole);
  return whole;
}

}  // namespace litertlm
