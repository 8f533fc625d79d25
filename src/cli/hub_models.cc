#include "cli/hub_models.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "convert/config.h"
#include "convert/families/registry.h"
#include "hub/hf_cache.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

constexpr char kRevision[] = "main";

// Bytes that a conversion will give, roughly.
uint64_t ExpectedBytes(const Config& config, uint64_t weight_bytes, Quantization quantization) {
  const Config decoder = config.Object("text_config").value_or(config);
  const std::string type = config.String("torch_dtype", config.String("dtype", "bfloat16"));
  const double weights = static_cast<double>(weight_bytes) / (type == "float32" ? 4 : 2);
  // Each layer is drawn once for every prefill length.
  constexpr double kGraphOfOneLayer = 90e3;
  const double graph =
      kGraphOfOneLayer * static_cast<double>(decoder.Int("num_hidden_layers", 0, 100000, 30));
  double bytes_per_weight = 0;
  switch (quantization) {
    case Quantization::kNone:
      bytes_per_weight = 4;
      break;
    case Quantization::kFp16:
      bytes_per_weight = 2;
      break;
    case Quantization::kInt8:
    case Quantization::kDynamicInt8:
      bytes_per_weight = 1.02;
      break;
    case Quantization::kDynamicInt4Block32:
    case Quantization::kDynamicInt4Block128:
      bytes_per_weight = 0.6;
      break;
  }
  return static_cast<uint64_t>(weights * bytes_per_weight + graph);
}

}  // namespace

void HubFlags::DeclareToken(Flags& flags) {
  flags.Option("--hf-token", "TOKEN", token,
               "Access token for private and gated models [HF_TOKEN]");
}

void HubFlags::DeclareFile(Flags& flags) {
  flags.Option("--file", "NAME", file, "Which model file, where a repository has several");
}

void HubFlags::DeclareRevision(Flags& flags) {
  flags.Option("--revision", "REVISION", revision, "Branch, tag or commit (main)");
}

bool NamesRepository(const std::string& name) {
  return IsRepositoryName(name) && !HasModelExtension(name) && !name.ends_with(".tflite") &&
         !std::filesystem::is_directory(name);
}

std::string ResolveAlias(const std::string& name, ProgressStyle style) {
  if (name != "google/gemma-3-1b") return name;
  std::string stands_for = name + "-it";
  Notice(style, fmt::format("{} has no repository of its own on the hub. Using {}, which is tuned "
                            "for chat; the pretrained one is {}-pt.",
                            name, stands_for, name));
  return stands_for;
}

HubOptions MakeHubOptions(const HubFlags& flags) {
  HubOptions options = HubOptionsFromEnvironment(flags.token);
  if (!options.token.warning.empty()) WriteErr("warning: " + options.token.warning + "\n");
  options.cancelled = [] { return InterruptGuard::requested().load(); };
  return options;
}

ModelLocation HubModels::Fetch(const std::string& name, Quantization quantization) {
  if (const fs::path file = CachedFile(name); !file.empty())
    return {.file = file, .checkpoint = {}};
  if (const auto cached = CachedCheckpoint(name); cached && !flags_.file) {
    return {.file = {}, .checkpoint = cached};
  }
  const InterruptGuard guard;
  ProgressDisplay progress(InterruptGuard::requested(), style_, EndedPhase::kKept);
  const HubOptions hub = MakeHubOptions(flags_);
  const FetchOptions options = Fetching(hub, progress);
  const Repository repository = Open(hub, name);
  if (const RemoteFile* file = SelectModelFile(repository, flags_.file)) {
    return {.file = FetchModelFile(options, repository, *file), .checkpoint = {}};
  }
  const PlannedConversion plan{quantization, store_.ForHub(name).output};
  return {.file = {}, .checkpoint = FetchCheckpoint(options, repository, plan)};
}

CheckpointLocation HubModels::FetchCheckpoint(const std::string& name,
                                              const PlannedConversion& plan) {
  if (const auto cached = CachedCheckpoint(name)) return *cached;
  const InterruptGuard guard;
  ProgressDisplay progress(InterruptGuard::requested(), style_, EndedPhase::kKept);
  const HubOptions hub = MakeHubOptions(flags_);
  const Repository repository = Open(hub, name);
  return FetchCheckpoint(Fetching(hub, progress), repository, plan);
}

ModelLocation HubModels::Pull(const std::string& name, const std::vector<std::string>& include) {
  const InterruptGuard guard;
  ProgressDisplay progress(InterruptGuard::requested(), style_, EndedPhase::kKept);
  const HubOptions hub = MakeHubOptions(flags_);
  const FetchOptions options = Fetching(hub, progress);
  const Repository repository = Open(hub, name);
  if (!include.empty()) {
    std::vector<RemoteFile> files;
    std::copy_if(repository.files.begin(), repository.files.end(), std::back_inserter(files),
                 [&](const RemoteFile& file) {
                   return std::any_of(include.begin(), include.end(), [&](const auto& pattern) {
                     return MatchesPattern(file.path, pattern);
                   });
                 });
    if (files.empty()) {
      throw Error(ErrorCode::kNotFound,
                  fmt::format("The repository {} has no file that --include matches.", name),
                  fmt::format("Its files: {}/{}/tree/main", WithoutUser(hub.endpoint), name));
    }
    FetchFiles(options, repository, files);
    return {.file = ModelFolder(store_.root(), name), .checkpoint = {}};
  }
  if (const RemoteFile* file = SelectModelFile(repository, flags_.file)) {
    return {.file = FetchModelFile(options, repository, *file), .checkpoint = {}};
  }
  return {.file = {}, .checkpoint = FetchCheckpoint(options, repository, std::nullopt)};
}

Repository HubModels::Open(const HubOptions& hub, const std::string& name) const {
  // Before anything else: where a network swallows every packet, nothing happens for a while.
  if (!hub.offline) Say(fmt::format("Looking for {} on {}", name, HostOf(hub.endpoint)));
  try {
    return HubClient(hub).Open(name, flags_.revision.value_or(kRevision));
  } catch (const Error& error) {
    // The hub suggests its own names; what was mistyped may also be one that is here.
    const std::string nearest = store_.Nearest(name);
    if (nearest.empty() || error.hint().starts_with("Did you mean")) throw;
    throw Error(error.code(), error.message(), nearest + error.hint());
  }
}

FetchOptions HubModels::Fetching(const HubOptions& hub, Progress& progress) const {
  return {.hub = hub,
          .models = store_.root(),
          .progress = &progress,
          .notice = [this](std::string_view text) { Say(text); }};
}

fs::path HubModels::FetchModelFile(const FetchOptions& options, const Repository& repository,
                                   const RemoteFile& file) {
  fs::path path = ModelFolder(store_.root(), repository.name) / file.path;
  const size_t models = ModelFilesOf(repository).size();
  const bool bundle = path.extension() == kBundleExtension;
  if (models > 1 && !flags_.file) {
    Say(fmt::format("{} has {} {} files; this is {} (--file chooses another).", repository.name,
                    models, path.extension().string(), file.path));
  } else if (bundle && !flags_.file) {
    Say(fmt::format("{} has no {} file; this is its bundle {}.", repository.name, kModelExtension,
                    file.path));
  }
  Say(fmt::format("Downloading {} ({}) to {}", repository.name, FormatBytes(file.content.size),
                  path.string()));
  FetchFiles(options, repository, {file});
  return path;
}

CheckpointLocation HubModels::FetchCheckpoint(const FetchOptions& options,
                                              const Repository& repository,
                                              const std::optional<PlannedConversion>& plan) {
  CheckpointLocation location = store_.ForHub(repository.name);
  const ConfigCheck check = [&](const fs::path& file, uint64_t weight_bytes) -> uint64_t {
    const Config config = Config::Read(file);
    // A family that is not supported is refused here, before any weight is downloaded.
    FindFamily(config.String("model_type"), repository.name);
    if (!plan) {
      Say(fmt::format("Downloading {} ({}) to {}", repository.name, FormatBytes(weight_bytes),
                      location.folder.string()));
      return 0;
    }
    const uint64_t expected = ExpectedBytes(config, weight_bytes, plan->quantization);
    Say("Model not found locally. Converting from HuggingFace…");
    Say(fmt::format("  the checkpoint   {:>9}  {}", FormatBytes(weight_bytes),
                    location.folder.string()));
    Say(fmt::format("  becomes    about {:>9}  {}", FormatBytes(expected), plan->output.string()));
    return expected;
  };
  litertlm::FetchCheckpoint(options, repository, check);
  return location;
}

fs::path HubModels::CachedFile(const std::string& name) const {
  const fs::path cached = FindInHfCache(name, kRevision);
  if (cached.empty()) return {};
  std::error_code ignored;
  if (!flags_.file) return ModelStore::FileIn(cached);
  return fs::is_regular_file(cached / *flags_.file, ignored) ? cached / *flags_.file : fs::path();
}

std::optional<CheckpointLocation> HubModels::CachedCheckpoint(const std::string& name) const {
  const fs::path cached = FindInHfCache(name, kRevision);
  if (cached.empty() || !HoldsCheckpoint(cached)) return std::nullopt;
  Say(fmt::format("Using the checkpoint in the Hugging Face cache: {}", cached.string()));
  return CheckpointLocation{cached, store_.ForHub(name).output};
}

}  // namespace litertlm
