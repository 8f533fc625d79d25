// The cache that Hugging Face's own programs keep, read and never written:
//   <cache>/models--<org>--<name>/refs/<revision>      a commit
//   <cache>/models--<org>--<name>/snapshots/<commit>/  the files, as links to blobs
#ifndef LITERTLM_HUB_HF_CACHE_H_
#define LITERTLM_HUB_HF_CACHE_H_

#include <filesystem>
#include <string>

namespace litertlm {

/// HF_HOME, or XDG_CACHE_HOME/huggingface, or ~/.cache/huggingface.
std::filesystem::path HfHome();

/// The folder of `repo` at `revision` (a branch, a tag or a commit); empty if it is not there.
/// The cache is HF_HUB_CACHE, or `hub` in HfHome().
std::filesystem::path FindInHfCache(const std::string& repo, const std::string& revision);

/// Whether `folder` has a checkpoint with all its weights: config.json, and model.safetensors or
/// every file that model.safetensors.index.json names.
bool HoldsCheckpoint(const std::filesystem::path& folder);

}  // namespace litertlm

#endif  // LITERTLM_HUB_HF_CACHE_H_
