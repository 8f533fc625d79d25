// The models of the store, for `list` and `rm`.
#ifndef LITERTLM_CLI_MODEL_LIST_H_
#define LITERTLM_CLI_MODEL_LIST_H_

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

namespace litertlm {

struct StoredModel {
  std::string name;          ///< "org/name".
  std::string kind;          ///< "model", "checkpoint", "linked checkpoint" or "partial download".
  std::string quantization;  ///< Coding of most weights; "-" of what is no model file.
  uint64_t bytes = 0;
  std::time_t changed = 0;
  std::filesystem::path path;
};

/// By name; the files of one model before its checkpoint. Conversions of the bundled models have
/// the org "bundled".
std::vector<StoredModel> ListModels(const std::filesystem::path& root);

/// "org/name" of what the user calls `name`: one that has a folder in the store. Throws kNotFound
/// with the nearest.
std::string StoredName(const std::filesystem::path& root, const std::string& name);
[[noreturn]] void ThrowNotHere(const std::filesystem::path& root, const std::string& name);

/// Of a file, or of all files in a folder; links are not followed.
uint64_t BytesIn(const std::filesystem::path& path);

}  // namespace litertlm

#endif  // LITERTLM_CLI_MODEL_LIST_H_
