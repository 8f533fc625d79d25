// Conversions with a progress display, asked for by `convert` or needed by another command.
#ifndef LITERTLM_CLI_CONVERSION_H_
#define LITERTLM_CLI_CONVERSION_H_

#include <filesystem>
#include <optional>
#include <string>

#include "cli/flags.h"
#include "cli/hub_models.h"
#include "cli/model_store.h"
#include "cli/progress_flags.h"
#include "convert/convert.h"
#include "litertlm/model.h"

namespace litertlm {

/// Converts, shows the progress on standard error, and stops cleanly at Ctrl-C (kInterrupted).
/// Returns a sentence: path, size, time.
std::string ConvertVisibly(ConvertOptions options, ProgressStyle style);

/// The value of --quantize. Throws kUsage, listing the possible ones.
Quantization ParseQuantizeFlag(const std::string& value);

/// MODEL and the flags about where models are, the same for every command.
struct ModelFlags {
  std::optional<std::string> model;
  std::optional<std::filesystem::path> models_dir;
  HubFlags hub;
  ProgressFlags progress;

  void Declare(Flags& flags, bool required);
  /// Only the flags that matter where MODEL means a checkpoint.
  void DeclareForCheckpoint(Flags& flags);
};

/// The same for commands that open the model.
struct OpenedModelFlags : ModelFlags {
  std::optional<std::filesystem::path> tokenizer;

  void Declare(Flags& flags, bool required);
  /// Finds the model as FindOrConvert does, and opens it with `options` and the tokenizer.
  Model Open(ModelOptions options = {}) const;
};

/// The file that `flags` name. What is not here and has the form ORG/NAME is downloaded; a
/// checkpoint that is not converted yet is converted, with the default options.
std::filesystem::path FindOrConvert(const ModelFlags& flags);

/// A model of random weights in the shape of a real one, `shape` of SyntheticModels(). Checkpoint
/// and conversion are made where they are not there already, and kept in the folder of models.
/// Of `flags` the folder and the progress count, of `options` quantization and cache length.
std::filesystem::path FindOrMakeSynthetic(const ModelFlags& flags, const std::string& shape,
                                          ConvertOptions options);

}  // namespace litertlm

#endif  // LITERTLM_CLI_CONVERSION_H_
