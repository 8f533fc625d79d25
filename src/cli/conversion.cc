#include "cli/conversion.h"

#include <fmt/format.h>

#include <chrono>

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/terminal.h"

namespace litertlm {

std::string ConvertVisibly(ConvertOptions options) {
  const auto start = std::chrono::steady_clock::now();
  const InterruptGuard guard;
  ProgressDisplay progress(InterruptGuard::requested());
  options.progress = &progress;
  const ConvertResult result = Convert(options);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return fmt::format("Wrote {}: {}, {}, {} tensors, in {}.", options.output.string(),
                     FormatBytes(result.bytes), QuantizationName(options.quantization),
                     result.tensors, FormatSeconds(took.count()));
}

void ModelFlags::Declare(Flags& flags, bool required) {
  const std::string help =
      "A .litertlm file, a checkpoint folder, a bundled name (tiny-qwen3, tiny-gemma3) or the "
      "ORG/NAME of a converted model";
  if (required) {
    flags.Argument("MODEL", model.emplace(), help);
  } else {
    flags.Argument("MODEL", model, help);
  }
  flags.Group("Where models are");
  flags.Option("--models-dir", "DIR", models_dir,
               "The folder of converted models [LITERTLM_MODELS_DIR]");
  flags.Group("");
}

std::filesystem::path FindOrConvert(const ModelFlags& flags) {
  const ModelStore store(flags.models_dir);
  const ModelLocation location = store.Find(flags.model.value_or(kDefaultModel));
  if (!location.file.empty()) return location.file;
  const CheckpointLocation& checkpoint = *location.checkpoint;
  WriteErr(fmt::format("Converting {} on first use.\n", checkpoint.folder.string()));
  WriteErr(ConvertVisibly({.checkpoint = checkpoint.folder, .output = checkpoint.output}) + "\n");
  store.RememberOrigin(checkpoint);
  return checkpoint.output;
}

}  // namespace litertlm
