#include "cli/conversion.h"

#include <fmt/format.h>

#include <chrono>

#include "base/units.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "convert/synthetic.h"
#include "litertlm/error.h"

namespace litertlm {

std::string ConvertVisibly(ConvertOptions options, ProgressStyle style) {
  const auto start = std::chrono::steady_clock::now();
  const InterruptGuard guard;
  ProgressDisplay progress(InterruptGuard::requested(), style);
  options.progress = &progress;
  const ConvertResult result = Convert(options);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return fmt::format("Wrote {}: {}, {}, {} tensors, in {}.", options.output.string(),
                     FormatBytes(result.bytes), QuantizationName(options.quantization),
                     result.tensors, FormatSeconds(took.count()));
}

Quantization ParseQuantizeFlag(const std::string& value) {
  if (const auto quantization = ParseQuantization(value)) return *quantization;
  throw Error(ErrorCode::kUsage, fmt::format("Unknown value for --quantize: {}.", value),
              "Known: dynamic_int8, int8, fp16, none, dynamic_int4_block32, "
              "dynamic_int4_block128.");
}

void ModelFlags::Declare(Flags& flags, bool required) {
  const std::string help =
      "A .litertlm file, a checkpoint folder, a bundled name (tiny-qwen3, tiny-gemma3) or the "
      "ORG/NAME of a model that is here or on the hub";
  if (required) {
    flags.Argument("MODEL", model.emplace(), help);
  } else {
    flags.Argument("MODEL", model, help);
  }
  flags.Group("Where models are");
  flags.Option("--models-dir", "DIR", models_dir, "The folder of models [LITERTLM_MODELS_DIR]");
  hub.DeclareFile(flags);
  hub.DeclareToken(flags);
  flags.Group("Progress (on stderr)");
  progress.Declare(flags);
  flags.Group("");
}

namespace {

// Here, or fetched from the hub if its name could be one of a repository.
ModelLocation FindOrFetch(const ModelStore& store, const ModelFlags& flags,
                          const std::string& model) {
  const std::string name = std::filesystem::exists(model) ? model : ResolveAlias(model);
  if (flags.hub.file) {
    const std::filesystem::path chosen = store.root() / name / *flags.hub.file;
    if (std::filesystem::is_regular_file(chosen)) return {.file = chosen, .checkpoint = {}};
  } else if (auto location = store.LookUp(name)) {
    return *std::move(location);
  }
  if (!NamesRepository(name)) return store.Find(name);
  return HubModels(store, flags.hub, flags.progress.Style())
      .Fetch(name, ConvertOptions().quantization);
}

}  // namespace

std::filesystem::path FindOrConvert(const ModelFlags& flags) {
  const ModelStore store(flags.models_dir);
  const ModelLocation location = FindOrFetch(store, flags, flags.model.value_or(kDefaultModel));
  if (!location.file.empty()) return location.file;
  const CheckpointLocation& checkpoint = *location.checkpoint;
  const ProgressStyle style = flags.progress.Style();
  const bool quiet = style == ProgressStyle::kQuiet;
  if (!quiet) WriteErr(fmt::format("Converting {} on first use.\n", checkpoint.folder.string()));
  const std::string result =
      ConvertVisibly({.checkpoint = checkpoint.folder, .output = checkpoint.output}, style);
  if (!quiet) WriteErr(result + "\n");
  store.RememberOrigin(checkpoint);
  return checkpoint.output;
}

std::filesystem::path FindOrMakeSynthetic(const std::optional<std::filesystem::path>& models_dir,
                                          const std::string& shape, ConvertOptions options) {
  const std::string variant =
      fmt::format("{}-{}", QuantizationName(options.quantization), options.kv_cache_max_len);
  const CheckpointLocation location = ModelStore(models_dir).SyntheticLocation(shape, variant);
  options.checkpoint = location.folder;
  options.output = location.output;
  if (std::filesystem::exists(options.output)) return options.output;
  if (!std::filesystem::exists(location.folder / "model.safetensors")) {
    const InterruptGuard guard;
    ProgressDisplay progress(InterruptGuard::requested());
    WriteSyntheticCheckpoint(shape, location.folder, options.threads, &progress);
    WriteErr(fmt::format("Made {}: random weights in the shape of {}.\n", location.folder.string(),
                         shape));
  }
  WriteErr(ConvertVisibly(options, ProgressStyle::kAuto) + "\n");
  return options.output;
}

}  // namespace litertlm
