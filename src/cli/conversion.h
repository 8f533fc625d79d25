// Conversions with a progress display, asked for by `convert` or needed by another command.
#ifndef LITERTLM_CLI_CONVERSION_H_
#define LITERTLM_CLI_CONVERSION_H_

#include <filesystem>
#include <optional>
#include <string>

#include "cli/flags.h"
#include "cli/model_store.h"
#include "convert/convert.h"

namespace litertlm {

/// Converts, shows the progress on standard error, and stops cleanly at Ctrl-C (kInterrupted).
/// Returns a sentence: path, size, time.
std::string ConvertVisibly(ConvertOptions options);

/// MODEL and the flags about where models are, the same for every command.
struct ModelFlags {
  std::optional<std::string> model;
  std::optional<std::filesystem::path> models_dir;

  void Declare(Flags& flags, bool required);
};

/// The file that `flags` name. A checkpoint that is not converted yet is converted first, with the
/// default options.
std::filesystem::path FindOrConvert(const ModelFlags& flags);

}  // namespace litertlm

#endif  // LITERTLM_CLI_CONVERSION_H_
