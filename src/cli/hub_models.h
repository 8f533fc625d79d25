// Models by their name on the hub: downloaded when they are first used.
#ifndef LITERTLM_CLI_HUB_MODELS_H_
#define LITERTLM_CLI_HUB_MODELS_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "cli/flags.h"
#include "cli/model_store.h"
#include "cli/progress.h"
#include "convert/convert.h"
#include "hub/fetch.h"
#include "hub/hub_client.h"

namespace litertlm {

/// The flags of every command that may download.
struct HubFlags {
  std::optional<std::string> token;
  std::optional<std::string> file;
  std::optional<std::string> revision;

  void DeclareToken(Flags& flags);
  void DeclareFile(Flags& flags);
  void DeclareRevision(Flags& flags);
};

/// Whether `name`, which is nothing on this machine, may be meant as a repository's.
bool NamesRepository(const std::string& name);

/// The name whose repository holds what `name` means: google/gemma-3-1b has none of its own, and
/// stands for its instruction-tuned form. Says so.
std::string ResolveAlias(const std::string& name, ProgressStyle style);

/// From the environment and the flags. Warns on standard error about a token that others can read.
/// An InterruptGuard must live as long as they are used.
HubOptions MakeHubOptions(const HubFlags& flags);

/// What a checkpoint is fetched for.
struct PlannedConversion {
  Quantization quantization;
  std::filesystem::path output;
};

class HubModels {
 public:
  HubModels(const ModelStore& store, const HubFlags& flags, ProgressStyle style)
      : store_(store), flags_(flags), style_(style) {}

  /// What the hub has under `name`: its `.litertlm` file, downloaded, or else its checkpoint, which
  /// is then to be converted to `quantization`. A file or checkpoint in the user's Hugging Face
  /// cache is taken from there. Says on standard error what it does.
  ModelLocation Fetch(const std::string& name, Quantization quantization);
  /// Only a checkpoint will do.
  CheckpointLocation FetchCheckpoint(const std::string& name, const PlannedConversion& plan);
  /// For `pull`: whatever is there, brought up to date, the cache left aside.
  ModelLocation Pull(const std::string& name, const std::vector<std::string>& include);

 private:
  void Say(std::string_view text) const { Notice(style_, text); }
  Repository Open(const HubOptions& hub, const std::string& name) const;
  FetchOptions Fetching(const HubOptions& hub, Progress& progress) const;
  std::filesystem::path FetchModelFile(const FetchOptions& options, const Repository& repository,
                                       const RemoteFile& file);
  CheckpointLocation FetchCheckpoint(const FetchOptions& options, const Repository& repository,
                                     const std::optional<PlannedConversion>& plan);
  /// What of `name` the cache has; empty or absent if nothing.
  std::filesystem::path CachedFile(const std::string& name) const;
  std::optional<CheckpointLocation> CachedCheckpoint(const std::string& name) const;

  const ModelStore& store_;
  const HubFlags& flags_;
  const ProgressStyle style_;
};

}  // namespace litertlm

#endif  // LITERTLM_CLI_HUB_MODELS_H_
