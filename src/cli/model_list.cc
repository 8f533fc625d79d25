#include "cli/model_list.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>

#include "base/suggest.h"
#include "cli/inspection.h"
#include "cli/model_store.h"
#include "hub/partial_file.h"
#include "hub/repository.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

std::time_t ChangedAt(const fs::path& path) {
  struct stat info {};
  ::stat(path.c_str(), &info);
  return info.st_mtime;
}

// The coding that most bytes of the constants have: "i8 per channel".
std::string MainCoding(const fs::path& file) {
  try {
    std::string coding = "-";
    uint64_t most = 0;
    const Json report = InspectFile(file).report;
    for (const Json& section : report["sections"]) {
      if (!section.contains("model")) continue;
      for (const Json& weights : section["model"]["weights"]) {
        if (weights["bytes"].get<uint64_t>() <= most) continue;
        most = weights["bytes"];
        coding = weights["coding"];
      }
    }
    return coding;
  } catch (const Error&) {
    return "damaged";
  }
}

void AddFolder(const std::string& name, const fs::path& folder, std::vector<StoredModel>& models) {
  std::vector<StoredModel> others;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const fs::path& path = entry.path();
    const std::string file = path.filename();
    StoredModel model{.name = name,
                      .kind = "model",
                      .quantization = "-",
                      .bytes = BytesIn(path),
                      .changed = ChangedAt(path),
                      .path = path};
    if (HasModelExtension(file)) {
      model.quantization = MainCoding(path);
      models.push_back(std::move(model));
    } else if (file == "checkpoint") {
      model.kind = entry.is_symlink() ? "linked checkpoint" : "checkpoint";
      others.push_back(std::move(model));
    } else if (file.ends_with(kPartialSuffix)) {
      model.kind = "partial download";
      others.push_back(std::move(model));
    }
  }
  models.insert(models.end(), others.begin(), others.end());
}

}  // namespace

std::vector<StoredModel> ListModels(const fs::path& root) {
  std::vector<StoredModel> models;
  std::error_code ignored;
  for (const fs::directory_entry& org : fs::directory_iterator(root, ignored)) {
    if (org.path().filename().string().starts_with(".")) continue;
    for (const fs::directory_entry& model : fs::directory_iterator(org.path(), ignored)) {
      AddFolder((org.path().filename() / model.path().filename()).string(), model.path(), models);
    }
  }
  std::stable_sort(models.begin(), models.end(),
                   [](const StoredModel& a, const StoredModel& b) { return a.name < b.name; });
  return models;
}

std::string StoredName(const fs::path& root, const std::string& name) {
  std::error_code ignored;
  for (const std::string& candidate : {name, "bundled/" + name}) {
    if (IsRepositoryName(candidate) && fs::is_directory(root / candidate, ignored)) {
      return candidate;
    }
  }
  ThrowNotHere(root, name);
}

void ThrowNotHere(const fs::path& root, const std::string& name) {
  std::vector<std::string> known;
  for (const StoredModel& model : ListModels(root)) known.push_back(model.name);
  throw Error(ErrorCode::kNotFound, fmt::format("There is no model {} here.", name),
              DidYouMean(name, known) + "See litert-lm-cli list.");
}

uint64_t BytesIn(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(fs::symlink_status(path, ignored))) {
    // What it takes on the disk: a download that has begun has its whole length at once.
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return 0;
    return std::min(static_cast<uint64_t>(info.st_size),
                    static_cast<uint64_t>(info.st_blocks) * 512);
  }
  uint64_t bytes = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, ignored)) {
    bytes += BytesIn(entry.path());
  }
  return bytes;
}

}  // namespace litertlm
