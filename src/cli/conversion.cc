#include "cli/conversion.h"

#include <fmt/format.h>

#include <chrono>

#include "base/units.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "convert/synthetic.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr char kPlaces[] = "Where models are";

}  // namespace

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
      "A .litertlm, .task or .tflite file, a checkpoint folder, a bundled name (tiny-qwen3, "
      "tiny-gemma3) or the ORG/NAME of a model that is here or on the hub";
  if (required) {
    flags.Argument("MODEL", model.emplace(), help);
  } else {
    flags.Argument("MODEL", model, help);
  }
  flags.Group(kPlaces);
  hub.DeclareFile(flags);
  DeclareForCheckpoint(flags);
}

void ModelFlags::DeclareForCheckpoint(Flags& flags) {
  flags.Group(kPlaces);
  flags.Option("--models-dir", "DIR", models_dir, "The folder of models [LITERTLM_MODELS_DIR]");
  hub.DeclareToken(flags);
  flags.Group("Progress (on stderr)");
  progress.Declare(flags);
  flags.Group("");
}

void OpenedModelFlags::Declare(Flags& flags, bool required) {
  ModelFlags::Declare(flags, required);
  flags.Option("--tokenizer", "FILE", tokenizer,
               "A tokenizer.json or SentencePiece model, for a .tflite file, which has none");
}

Model OpenedModelFlags::Open(ModelOptions options) const {
  options.tokenizer = tokenizer.value_or(std::filesystem::path());
  return Model::Open(FindOrConvert(*this), options);
}

namespace {

// Here, or fetched from the hub if its name could be one of a repository.
ModelLocation FindOrFetch(const ModelStore& store, const ModelFlags& flags,
                          const std::string& model) {
  const ProgressStyle style = flags.progress.Style();
  const std::string name = std::filesystem::exists(model) ? model : ResolveAlias(model, style);
  if (flags.hub.file) {
    const std::filesystem::path chosen = store.root() / name / *flags.hub.file;
    if (std::filesystem::is_regular_file(chosen)) return {.file = chosen, .checkpoint = {}};
  } else if (auto location = store.LookUp(name)) {
    return *std::move(location);
  }
  if (!NamesRepository(name)) {
    ModelLocation location = store.Find(name);
    if (!flags.hub.file) return location;
    throw Error(ErrorCode::kUsage, fmt::format("--file does not go with {}.", name),
                "It chooses among the files of a repository, ORG/NAME.");
  }
  return HubModels(store, flags.hub, style).Fetch(name, ConvertOptions().quantization);
}

}  // namespace

std::filesystem::path FindOrConvert(const ModelFlags& flags) {
  const ModelStore store(flags.models_dir);
  const ModelLocation location = FindOrFetch(store, flags, flags.model.value_or(kDefaultModel));
  if (!location.file.empty()) return location.file;
  const CheckpointLocation& checkpoint = *location.checkpoint;
  const ProgressStyle style = flags.progress.Style();
  Notice(style, fmt::format("Converting {} on first use.", checkpoint.folder.string()));
  Notice(style,
         ConvertVisibly({.checkpoint = checkpoint.folder, .output = checkpoint.output}, style));
  store.RememberOrigin(checkpoint);
  return checkpoint.output;
}

std::filesystem::path FindOrMakeSynthetic(const ModelFlags& flags, const std::string& shape,
                                          ConvertOptions options) {
  const std::string variant =
      fmt::format("{}-{}", QuantizationName(options.quantization), options.kv_cache_max_len);
  const CheckpointLocation location =
      ModelStore(flags.models_dir).SyntheticLocation(shape, variant);
  options.checkpoint = location.folder;
  options.output = location.output;
  if (std::filesystem::exists(options.output)) return options.output;
  const ProgressStyle style = flags.progress.Style();
  if (!std::filesystem::exists(location.folder / "model.safetensors")) {
    const InterruptGuard guard;
    ProgressDisplay progress(InterruptGuard::requested(), style);
    WriteSyntheticCheckpoint(shape, location.folder, options.threads, &progress);
    Notice(style, fmt::format("Made {}: random weights in the shape of {}.",
                              location.folder.string(), shape));
  }
  Notice(style, ConvertVisibly(options, style));
  return options.output;
}

}  // namespace litertlm
