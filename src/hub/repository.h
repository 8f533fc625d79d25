// What a repository is and holds, and which of its files a model needs.
//
// Everything that a server says here is hostile until it has passed: a listing may name
// "../../.bashrc", and so may the index of a sharded checkpoint.
#ifndef LITERTLM_HUB_REPOSITORY_H_
#define LITERTLM_HUB_REPOSITORY_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/hash.h"

namespace litertlm {

inline constexpr char kConfigFile[] = "config.json";
inline constexpr char kWeightsFile[] = "model.safetensors";
inline constexpr char kWeightsIndex[] = "model.safetensors.index.json";
inline constexpr std::string_view kModelExtension = ".litertlm";
inline constexpr std::string_view kBundleExtension = ".task";

struct RemoteFile {
  std::string path;  ///< IsSafePath.
  ContentId content;
};

/// A repository at one commit.
struct Repository {
  std::string name;    ///< "org/name", as the user gave it.
  std::string commit;  ///< 40 hex digits.
  std::vector<RemoteFile> files;

  const RemoteFile* Find(std::string_view path) const;
};

/// Whether `name` could be a repository's: "org/name", each of letters, digits, '-', '_' and '.',
/// not beginning or ending with '-' or '.', without "--" or "..", 96 characters at most.
bool IsRepositoryName(std::string_view name);

/// Whether `path` stays inside the folder that it is put in, on any file system, and cannot be
/// taken for one of our own temporary files.
bool IsSafePath(std::string_view path);

/// Whether `path` is named as a model is that runs without a conversion.
bool HasModelExtension(std::string_view path);

/// The `.litertlm` files; only where there are none, the `.task` bundles.
std::vector<const RemoteFile*> ModelFilesOf(const Repository& repository);

/// The model file to take: the one that `file` names, or of ModelFilesOf the only one, or of
/// several the one for any processor: not made for a GPU, an NPU, a browser or one vendor's chip.
/// Null if the repository has none. Throws kNotFound, with the nearest name, if it has no `file`,
/// and kUsage if several are left that nothing tells apart.
const RemoteFile* SelectModelFile(const Repository& repository,
                                  const std::optional<std::string>& file);

/// The files of a checkpoint that say what it is: configuration, tokenizer, and the index of its
/// weights. Throws kNotFound if there is no config.json or there are no safetensors weights.
std::vector<RemoteFile> CheckpointDescription(const Repository& repository);

/// The files that hold the weights. `index` is the content of kWeightsIndex, or empty if the
/// repository has none. Throws kNotFound naming a file that is missing.
std::vector<RemoteFile> CheckpointWeights(const Repository& repository, std::string_view index);

/// The files that a weights index names, each once. Throws kBadInput.
std::vector<std::string> ShardsOf(std::string_view index);

/// Whether `path` matches `pattern`, in which '*' stands for anything and '?' for one character.
bool MatchesPattern(std::string_view path, std::string_view pattern);

uint64_t TotalSize(const std::vector<RemoteFile>& files);

}  // namespace litertlm

#endif  // LITERTLM_HUB_REPOSITORY_H_
