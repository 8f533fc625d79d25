#include "hub/hf_cache.h"

#include <algorithm>
#include <system_error>

#include "base/file.h"
#include "hub/environment.h"
#include "hub/hash.h"
#include "hub/repository.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

fs::path CacheFolder() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const std::string folder = EnvironmentVariable(name); !folder.empty()) return folder;
  }
  return HfHome() / "hub";
}

}  // namespace

fs::path HfHome() {
  if (const std::string home = EnvironmentVariable("HF_HOME"); !home.empty()) return home;
  fs::path cache = EnvironmentVariable("XDG_CACHE_HOME");
  if (cache.empty()) cache = fs::path(EnvironmentVariable("HOME")) / ".cache";
  return cache / "huggingface";
}

fs::path FindInHfCache(const std::string& repo, const std::string& revision) {
  if (!IsSafePath(revision)) return {};
  const fs::path folder = CacheFolder() / ("models--" + repo.substr(0, repo.find('/')) + "--" +
                                           repo.substr(repo.find('/') + 1));
  std::error_code ignored;
  std::string commit = revision;
  if (const fs::path ref = folder / "refs" / revision; fs::is_regular_file(ref, ignored)) {
    try {
      commit = ReadFile(ref, 1024);
    } catch (const Error&) {
      return {};  // A cache that cannot be read is one that has nothing.
    }
    commit.erase(std::find_if(commit.begin(), commit.end(), [](char c) { return c <= ' '; }),
                 commit.end());
  }
  if (!IsHex(commit, 40)) return {};
  const fs::path snapshot = folder / "snapshots" / commit;
  return fs::is_directory(snapshot, ignored) ? snapshot : fs::path();
}

bool HoldsCheckpoint(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_regular_file(folder / kConfigFile, ignored)) return false;
  if (fs::is_regular_file(folder / kWeightsFile, ignored)) return true;
  if (!fs::is_regular_file(folder / kWeightsIndex, ignored)) return false;
  try {
    const std::vector<std::string> shards = ShardsOf(ReadFile(folder / kWeightsIndex));
    return std::all_of(shards.begin(), shards.end(), [&](const std::string& shard) {
      return fs::is_regular_file(folder / shard, ignored);
    });
  } catch (const Error&) {
    return false;
  }
}

}  // namespace litertlm
