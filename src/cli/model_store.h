// Which file or folder a model's name means, and where conversions are kept.
//
//   models/<org>/<name>/<name>.litertlm   what `run` and `convert` made, or what was put there
//   models/<org>/<name>/<file>.litertlm   what was downloaded; or <file>.task
//   models/<org>/<name>/checkpoint        the checkpoint it was made from: downloaded, or a link to
//                                         a folder elsewhere
//
// The checkpoints that come with the program have the org "bundled", those of random weights the
// org "synthetic".
#ifndef LITERTLM_CLI_MODEL_STORE_H_
#define LITERTLM_CLI_MODEL_STORE_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace litertlm {

inline constexpr char kDefaultModel[] = "tiny-qwen3";

/// A checkpoint folder and the place of its conversion.
struct CheckpointLocation {
  std::filesystem::path folder;
  std::filesystem::path output;  ///< The `.litertlm` file; it may exist already.
};

/// What a name stands for: a file that exists, or a checkpoint that is not converted yet.
struct ModelLocation {
  std::filesystem::path file;  ///< Empty if there is only a checkpoint.
  std::optional<CheckpointLocation> checkpoint;
};

class ModelStore {
 public:
  /// `root` is the folder `models/`. Absent: LITERTLM_MODELS_DIR, or else the one beside the
  /// launcher of a source tree, or else the one in the user's data folder.
  explicit ModelStore(const std::optional<std::filesystem::path>& root);

  const std::filesystem::path& root() const { return root_; }

  /// `Find` for what may not be there: absent then.
  std::optional<ModelLocation> LookUp(const std::string& name) const;
  /// For running. `name` is a path of a model file or of a folder that holds one or a
  /// checkpoint, the name of a bundled model, or an org/name of the store.
  /// Throws kNotFound with the nearest known name.
  ModelLocation Find(const std::string& name) const;
  /// For converting: the same without looking for files. Throws kUsage if `name` is one.
  CheckpointLocation FindCheckpoint(const std::string& name) const;

  /// Where the random weights of a shape are kept, and their conversion `variant`.
  CheckpointLocation SyntheticLocation(const std::string& shape, const std::string& variant) const;
  /// `FindCheckpoint` for what may not be there.
  std::optional<CheckpointLocation> LookUpCheckpoint(const std::string& name) const;

  /// "Did you mean X? " for the nearest name of a model that is here; empty if none is near.
  std::string Nearest(const std::string& name) const;

  /// Where the checkpoint and the conversion of the hub's `name` ("org/name") belong.
  CheckpointLocation ForHub(const std::string& name) const;
  /// The one `.litertlm` file of a folder, or the one that has the folder's name; where there is
  /// none, the same with `.task` files; empty if there is no such file either.
  /// Throws kUsage if there are several.
  static std::filesystem::path FileIn(const std::filesystem::path& folder);

  /// Lets the store remember which folder a conversion came from, so that another folder of the
  /// same name is not mistaken for it.
  void RememberOrigin(const CheckpointLocation& location) const;

 private:
  CheckpointLocation ForFolder(const std::filesystem::path& folder) const;
  std::filesystem::path Output(const std::string& org, const std::string& name) const;
  std::vector<std::string> KnownNames() const;
  [[noreturn]] void ThrowNotFound(const std::string& name) const;

  std::filesystem::path root_;
  std::filesystem::path bundled_;  ///< Folder of the bundled checkpoints.
};

/// Throws kCannotCreate if `location.output` was converted from another folder than its own.
void CheckOrigin(const CheckpointLocation& location);

}  // namespace litertlm

#endif  // LITERTLM_CLI_MODEL_STORE_H_
