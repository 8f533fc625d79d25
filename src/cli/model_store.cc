#include "cli/model_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/suggest.h"
#include "hub/repository.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

constexpr char kOrigin[] = "checkpoint";
constexpr char kBundledOrg[] = "bundled";

bool IsCheckpoint(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "config.json", ignored);
}

// Sorted; none if `folder` cannot be read.
std::vector<fs::path> Entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    entries.push_back(entry.path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

// The .litertlm files; only where there are none, the .task files.
std::vector<fs::path> ModelFiles(const fs::path& folder) {
  for (const std::string_view extension : {kModelExtension, kBundleExtension}) {
    std::vector<fs::path> files = Entries(folder);
    std::erase_if(files, [&](const fs::path& path) { return path.extension() != extension; });
    if (!files.empty()) return files;
  }
  return {};
}

fs::path FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? fs::path(value) : fs::path();
}

// The root of the source tree that this program was built in; empty if it is installed.
fs::path SourceTree(const fs::path& executable) {
  const fs::path tree = executable.parent_path().parent_path().parent_path();
  std::error_code ignored;
  const bool found = executable.parent_path().parent_path().filename() == "build" &&
                     fs::is_directory(tree / "testdata", ignored);
  return found ? tree : fs::path();
}

fs::path UserDataFolder() {
  fs::path data = FromEnvironment("XDG_DATA_HOME");
  if (data.is_relative()) data = FromEnvironment("HOME") / ".local" / "share";
  return data / "litert-lm-cli";
}

}  // namespace

ModelStore::ModelStore(const std::optional<fs::path>& root) {
  std::error_code ignored;
  const fs::path executable = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path tree = SourceTree(executable);
  bundled_ = tree.empty() ? executable.parent_path().parent_path() / "share" / "litert-lm-cli"
                          : tree / "testdata";
  root_ = root ? *root : FromEnvironment("LITERTLM_MODELS_DIR");
  if (root_.empty()) root_ = (tree.empty() ? UserDataFolder() : tree) / "models";
}

fs::path ModelStore::FileIn(const fs::path& folder) {
  const std::vector<fs::path> files = ModelFiles(folder);
  if (files.size() <= 1) return files.empty() ? fs::path() : files.front();
  std::string names;
  for (const fs::path& file : files) {
    if (file.stem() == folder.filename()) return file;
    names += (names.empty() ? "" : ", ") + file.filename().string();
  }
  throw Error(ErrorCode::kUsage,
              fmt::format("The folder {} holds several models: {}.", folder.string(), names),
              "Give the path of one of them, or its name with --file.");
}

ModelLocation ModelStore::Find(const std::string& name) const {
  if (auto location = LookUp(name)) return *std::move(location);
  ThrowNotFound(name);
}

std::optional<ModelLocation> ModelStore::LookUp(const std::string& name) const {
  std::error_code ignored;
  if (fs::is_regular_file(name, ignored)) return ModelLocation{.file = name, .checkpoint = {}};
  if (fs::is_directory(name, ignored)) {
    if (fs::path file = FileIn(name); !file.empty()) {
      return ModelLocation{.file = file, .checkpoint = {}};
    }
  }
  if (const auto checkpoint = LookUpCheckpoint(name)) {
    if (!fs::exists(checkpoint->output, ignored)) {
      return ModelLocation{.file = {}, .checkpoint = checkpoint};
    }
    CheckOrigin(*checkpoint);
    return ModelLocation{.file = checkpoint->output, .checkpoint = checkpoint};
  }
  if (const fs::path relative(name); relative.is_relative() && !relative.empty()) {
    fs::path file = FileIn((root_ / relative).lexically_normal());
    if (!file.empty()) return ModelLocation{.file = file, .checkpoint = {}};
  }
  return std::nullopt;
}

CheckpointLocation ModelStore::FindCheckpoint(const std::string& name) const {
  std::error_code ignored;
  if (fs::is_regular_file(name, ignored)) {
    throw Error(ErrorCode::kUsage, fmt::format("{} is a file, not a checkpoint folder.", name),
                "A checkpoint folder holds config.json, the tokenizer and .safetensors files.");
  }
  if (const auto checkpoint = LookUpCheckpoint(name)) return *checkpoint;
  ThrowNotFound(name);
}

std::optional<CheckpointLocation> ModelStore::LookUpCheckpoint(const std::string& name) const {
  if (IsCheckpoint(name)) return ForFolder(name);
  const fs::path relative(name);
  if (relative.is_absolute() || name.empty()) return std::nullopt;
  // A bare name may be a bundled one; "bundled/NAME" is what the store calls it.
  const fs::path bare = *relative.begin() == kBundledOrg ? relative.filename() : relative;
  if (!bare.has_parent_path() && IsCheckpoint(bundled_ / bare)) {
    return CheckpointLocation{bundled_ / bare, Output(kBundledOrg, bare.string())};
  }
  const fs::path kept = (root_ / relative / kOrigin).lexically_normal();
  if (IsCheckpoint(kept)) {
    return CheckpointLocation{kept,
                              kept.parent_path() / (relative.filename().string() + ".litertlm")};
  }
  return std::nullopt;
}

CheckpointLocation ModelStore::ForHub(const std::string& name) const {
  const fs::path folder = root_ / name;
  return {folder / kOrigin, folder / (folder.filename().string() + std::string(kModelExtension))};
}

CheckpointLocation ModelStore::ForFolder(const fs::path& folder) const {
  const fs::path whole = fs::canonical(folder);
  // models/<org>/<name>/checkpoint belongs to its parent.
  const fs::path named = whole.filename() == kOrigin ? whole.parent_path() : whole;
  const std::string org = named.parent_path().filename().string();
  return {whole, Output(org.empty() ? "local" : org, named.filename().string())};
}

fs::path ModelStore::Output(const std::string& org, const std::string& name) const {
  return root_ / org / name / (name + std::string(kModelExtension));
}

CheckpointLocation ModelStore::SyntheticLocation(const std::string& shape,
                                                 const std::string& variant) const {
  constexpr char kOrg[] = "synthetic";
  return {root_ / kOrg / shape / kOrigin, Output(kOrg, shape + "-" + variant)};
}

void ModelStore::RememberOrigin(const CheckpointLocation& location) const {
  if (location.folder.parent_path() == bundled_) return;
  std::error_code ignored;
  const fs::path origin = location.output.parent_path() / kOrigin;
  if (fs::is_symlink(origin, ignored)) fs::remove(origin, ignored);
  fs::create_directory_symlink(location.folder, origin, ignored);
}

void CheckOrigin(const CheckpointLocation& location) {
  const fs::path origin = location.output.parent_path() / kOrigin;
  std::error_code error;
  const bool known = fs::exists(origin, error) && !error;
  if (!known || fs::equivalent(origin, location.folder, error)) return;
  throw Error(ErrorCode::kCannotCreate,
              fmt::format("{} was converted from another folder, {}.", location.output.string(),
                          fs::canonical(origin, error).string()),
              fmt::format("Convert this one to another place and run that file: litert-lm-cli "
                          "convert {} --output-dir DIR",
                          location.folder.string()));
}

std::vector<std::string> ModelStore::KnownNames() const {
  std::vector<std::string> names;
  for (const fs::path& folder : Entries(bundled_)) {
    if (IsCheckpoint(folder)) names.push_back(folder.filename().string());
  }
  for (const fs::path& org : Entries(root_)) {
    if (org.filename() == kBundledOrg) continue;
    for (const fs::path& model : Entries(org)) {
      if (!ModelFiles(model).empty() || IsCheckpoint(model / kOrigin)) {
        names.push_back((org.filename() / model.filename()).string());
      }
    }
  }
  return names;
}

std::string ModelStore::Nearest(const std::string& name) const {
  return DidYouMean(name, KnownNames());
}

void ModelStore::ThrowNotFound(const std::string& name) const {
  std::error_code ignored;
  if (fs::is_directory(name, ignored)) {
    throw Error(
        ErrorCode::kNotFound,
        fmt::format("The folder {} holds neither a .litertlm file nor a config.json.", name),
        "A checkpoint folder holds config.json, the tokenizer and .safetensors files.");
  }
  if (HasModelExtension(name)) {
    throw Error(ErrorCode::kNotFound, fmt::format("There is no file {}.", name));
  }
  const std::vector<std::string> known = KnownNames();
  const std::string here =
      known.empty() ? "" : fmt::format("Known here: {}. ", fmt::join(known, ", "));
  throw Error(
      ErrorCode::kNotFound, fmt::format("Model {} was not found.", name),
      DidYouMean(name, known) + here +
          "A model may also be the path of a .litertlm file or of a Hugging Face checkpoint "
          "folder, or the ORG/NAME of a repository on the hub.");
}

}  // namespace litertlm
