#include "hub/download.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "base/units.h"
#include "hub/file_fetcher.h"
#include "hub/partial_file.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

// Long enough that the pauses between requests do not matter, short enough that the connections
// finish together.
constexpr uint64_t kLongestRun = 128;
constexpr uint64_t kShortestRun = 4;
constexpr uint64_t kRecheckedRun = 16;
constexpr uint64_t kSmallFile = uint64_t{16} << 20;

class Downloader {
 public:
  Downloader(const HubOptions& hub, const Repository& repository, fs::path folder,
             const DownloadOptions& options)
      : hub_(hub), repository_(repository), folder_(std::move(folder)), options_(options) {}
  Downloader(const Downloader&) = delete;
  Downloader& operator=(const Downloader&) = delete;
  ~Downloader() { Stop(); }

  void Run(const std::vector<RemoteFile>& files);

 private:
  struct File {
    File(const Repository& repository, const RemoteFile& file, const fs::path& path)
        : partial(path, file.content), link(repository, file) {}

    PartialFile partial;
    FileLink link;
    uint64_t cursor = 0;  ///< Blocks before it are stored or being fetched.
    int active = 0;       ///< Runs being fetched.
    bool whole_files_only = false;
    std::vector<BlockRun> suspects;  ///< Runs that had trouble.
  };
  struct Claim {
    File* file;
    BlockRun run;
  };

  void Begin(std::vector<RemoteFile> files);
  void CheckDiskSpace(const std::vector<RemoteFile>& files) const;
  void Work();
  std::optional<Claim> NextClaim();
  std::optional<BlockRun> ClaimFrom(File& file);
  void Release(const Claim& claim, const FetchOutcome& outcome);

  void Complete(File& file);
  void AwaitAllBlocks(File& file);
  void Prove(File& file);
  void FetchAgain(File& file);
  bool IsProven(File& file);
  bool Cancelled() const;
  void CheckCancelled() const;
  void Stop();
  [[noreturn]] void ThrowInterrupted() const;

  const HubOptions& hub_;
  const Repository& repository_;
  const fs::path folder_;
  const DownloadOptions& options_;
  std::vector<RemoteFile> wanted_;
  std::vector<std::unique_ptr<File>> files_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stop_{false};
  std::exception_ptr error_;
  std::vector<std::thread> workers_;
};

void Downloader::Run(const std::vector<RemoteFile>& files) {
  try {
    Begin(files);
    const uint64_t total = TotalSize(wanted_);
    const auto useful = static_cast<int>(std::min<uint64_t>(
        std::max<uint64_t>(total / (kShortestRun * kBlockSize), wanted_.size()), 64));
    for (int i = 0; i < std::min(options_.connections, useful); ++i) {
      workers_.emplace_back([this] { Work(); });
    }
    for (const auto& file : files_) Complete(*file);
  } catch (...) {
    Stop();
    for (const auto& file : files_) {
      if (file->partial.stored() == 0) file->partial.Discard();
    }
    if (Cancelled()) ThrowInterrupted();
    throw;
  }
}

void Downloader::Begin(std::vector<RemoteFile> files) {
  // Small files first: they tell early whether the large ones will be of use.
  std::stable_partition(files.begin(), files.end(),
                        [](const RemoteFile& f) { return f.content.size < kSmallFile; });
  std::error_code ignored;
  for (RemoteFile& file : files) {
    const fs::path path = folder_ / file.path;
    if (fs::is_regular_file(path, ignored) && FileMatches(path, file.content)) continue;
    wanted_.push_back(std::move(file));
  }
  CheckDiskSpace(wanted_);
  for (const RemoteFile& file : wanted_) {
    files_.push_back(std::make_unique<File>(repository_, file, folder_ / file.path));
  }
}

void Downloader::CheckDiskSpace(const std::vector<RemoteFile>& files) const {
  uint64_t needed = files.empty() ? 0 : options_.reserve;
  for (const RemoteFile& file : files) {
    const uint64_t missing =
        file.content.size - PartialFile::StoredBytes(folder_ / file.path, file.content);
    if (__builtin_add_overflow(needed, missing, &needed)) needed = UINT64_MAX;
  }
  fs::path existing = fs::absolute(folder_);
  std::error_code error;
  while (!fs::exists(existing, error) && existing.has_parent_path()) {
    existing = existing.parent_path();
  }
  const fs::space_info space = fs::space(existing, error);
  if (error || needed <= space.available) return;
  throw Error(
      ErrorCode::kIo,
      fmt::format("The disk is too full: {} needs {}, but {} has {} free.", repository_.name,
                  FormatBytes(needed), existing.string(), FormatBytes(space.available)),
      "Free disk space, or choose another disk with --models-dir.");
}

void Downloader::Work() {
  try {
    HubOptions options = hub_;
    options.cancelled = [this] { return stop_.load(); };
    options.reached = true;  // The listing came over it.
    HubClient hub(std::move(options));
    while (const auto claim = NextClaim()) {
      Release(*claim, FetchRun(hub, claim->file->link, claim->file->partial, claim->run));
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::current_exception();
    changed_.notify_all();
  }
}

// Waits until there is something to fetch; nothing once all is over.
std::optional<Downloader::Claim> Downloader::NextClaim() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stop_) return std::nullopt;
    for (const auto& file : files_) {
      if (const auto run = ClaimFrom(*file)) {
        ++file->active;
        return Claim{file.get(), *run};
      }
    }
    changed_.wait(lock);
  }
}

std::optional<BlockRun> Downloader::ClaimFrom(File& file) {
  const uint64_t blocks = file.partial.blocks();
  if (file.whole_files_only && file.active > 0) return std::nullopt;
  while (file.cursor < blocks && file.partial.Has(file.cursor)) ++file.cursor;
  if (file.cursor == blocks) return std::nullopt;
  BlockRun run{file.cursor, file.cursor + 1};
  if (file.whole_files_only) {
    run = {0, blocks};
  } else {
    const uint64_t share =
        (blocks - file.cursor) / (2 * static_cast<uint64_t>(options_.connections));
    const uint64_t longest = std::clamp(share, kShortestRun, kLongestRun);
    while (run.end < blocks && run.end - run.begin < longest && !file.partial.Has(run.end)) {
      ++run.end;
    }
  }
  file.cursor = run.end;
  return run;
}

void Downloader::Release(const Claim& claim, const FetchOutcome& outcome) {
  const std::lock_guard lock(mutex_);
  File& file = *claim.file;
  --file.active;
  if (outcome.trouble) file.suspects.push_back(claim.run);
  if (outcome.whole_files_only) {
    file.whole_files_only = true;
    file.cursor = 0;
  }
  changed_.notify_all();
}

void Downloader::Complete(File& file) {
  const RemoteFile& remote = file.link.file();
  Progress* progress = options_.progress;
  if (progress != nullptr) progress->Begin("Downloading " + remote.path, remote.content.size);
  AwaitAllBlocks(file);
  Prove(file);
  file.partial.Commit();
  if (progress != nullptr) progress->End();
}

void Downloader::AwaitAllBlocks(File& file) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (error_) std::rethrow_exception(error_);
    const uint64_t stored = file.partial.stored();
    if (options_.progress != nullptr) options_.progress->Update(stored, "");
    if (stored == file.link.file().content.size && file.active == 0) return;
    changed_.wait_for(lock, std::chrono::milliseconds(100));
    CheckCancelled();
  }
}

// Size and checksum are right, or what is wrong is fetched again.
void Downloader::Prove(File& file) {
  if (file.link.file().content.size > kSmallFile) file.partial.Settle();
  if (IsProven(file)) return;
  // First what the disk lost: a power failure may have kept the record of a block without it.
  const std::vector<uint64_t> damaged = file.partial.DamagedBlocks();
  if (!damaged.empty()) {
    {
      const std::lock_guard lock(mutex_);
      for (const uint64_t block : damaged) file.partial.Forget(block);
      file.cursor = 0;
      changed_.notify_all();
    }
    AwaitAllBlocks(file);
    if (IsProven(file)) return;
  }
  FetchAgain(file);
}

// Something arrived wrong, and only the checksum of the whole is known: parts are fetched a second
// time and compared, those first whose connections had trouble, until the checksum is right.
void Downloader::FetchAgain(File& file) {
  const RemoteFile& remote = file.link.file();
  std::vector<BlockRun> runs = file.suspects;
  for (uint64_t begin = 0; begin < file.partial.blocks(); begin += kRecheckedRun) {
    runs.push_back({begin, std::min(begin + kRecheckedRun, file.partial.blocks())});
  }
  HubOptions options = hub_;
  Progress* progress = options_.progress;
  options.cancelled = [this] { return Cancelled(); };
  HubClient hub(std::move(options));
  if (progress != nullptr) {
    progress->End();
    progress->Begin("Repairing " + remote.path, remote.content.size);
  }
  for (const BlockRun& run : runs) {
    const bool changed = FetchRun(hub, file.link, file.partial, run).changed;
    if (progress != nullptr) progress->Update(file.partial.Extent(run.end - 1).end, "");
    if (changed && IsProven(file)) return;
  }
  file.partial.Discard();
  throw Error(ErrorCode::kBadInput,
              fmt::format("{} does not have the checksum that {} states, although it was fetched "
                          "twice.",
                          remote.path, HostOf(hub_.endpoint)),
              "Something between the server and here changes it: try another network, or a mirror "
              "(HF_ENDPOINT).");
}

bool Downloader::IsProven(File& file) {
  const bool proven = FileMatches(file.partial.partial_path(), file.link.file().content,
                                  [this] { return !Cancelled(); });
  CheckCancelled();
  return proven;
}

bool Downloader::Cancelled() const {
  return (options_.progress != nullptr && options_.progress->Cancelled()) ||
         (hub_.cancelled && hub_.cancelled());
}

void Downloader::CheckCancelled() const {
  if (Cancelled()) ThrowInterrupted();
}

void Downloader::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void Downloader::ThrowInterrupted() const {
  uint64_t stored = 0;
  for (const auto& file : files_) stored += file->partial.stored();
  throw Error(ErrorCode::kInterrupted,
              fmt::format("Interrupted: {} of {} of {} are here.", FormatBytes(stored),
                          FormatBytes(TotalSize(wanted_)), repository_.name),
              "Run the same command again to go on from there.");
}

}  // namespace

void Download(const HubOptions& hub, const Repository& repository,
              const std::vector<RemoteFile>& files, const fs::path& folder,
              const DownloadOptions& options) {
  Downloader(hub, repository, folder, options).Run(files);
}

}  // namespace litertlm
