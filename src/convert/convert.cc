#include "convert/convert.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/thread_pool.h"
#include "convert/checkpoint_layout.h"
#include "convert/config.h"
#include "convert/families/registry.h"
#include "convert/graph_emitter.h"
#include "convert/metadata.h"
#include "convert/prefill_lengths.h"
#include "convert/progress_reporter.h"
#include "convert/tokenizer_section.h"
#include "convert/weight_store.h"
#include "format/litertlm.h"
#include "format/safetensors.h"
#include "format/tflite_builder.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr std::array<std::pair<Quantization, std::string_view>, 6> kNames = {{
    {Quantization::kNone, "none"},
    {Quantization::kFp16, "fp16"},
    {Quantization::kInt8, "int8"},
    {Quantization::kDynamicInt8, "dynamic_int8"},
    {Quantization::kDynamicInt4Block32, "dynamic_int4_block32"},
    {Quantization::kDynamicInt4Block128, "dynamic_int4_block128"},
}};

CheckpointConfigs ReadConfigs(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "config.json")) {
    throw Error(ErrorCode::kNotFound, fmt::format("{} has no config.json.", folder.string()),
                "It has to be the folder of a checkpoint in Hugging Face's layout.");
  }
  const Config model = Config::Read(folder / "config.json");
  return {.model = model,
          .decoder = model.Object("text_config").value_or(model),
          .generation = Config::ReadIfExists(folder / "generation_config.json"),
          .tokenizer = Config::ReadIfExists(folder / "tokenizer_config.json")};
}

DecoderSpec Describe(const Family& family, const CheckpointConfigs& configs,
                     const Checkpoint& checkpoint, const std::filesystem::path& folder) {
  const TensorNames names = FindTensorNames(checkpoint, folder.string());
  DecoderSpec spec = family.describe(configs.decoder, names);
  spec.family = family.name;
  ResolveHead(checkpoint, names, spec);
  CheckTensors(checkpoint, names, spec, folder.string());
  return spec;
}

// Some tokenizers know a few tokens more than the embedding has rows, for images say. A table that
// lacks them would be an error when a text happens to spell one.
void CoverTokenizer(const TokenizerSection& tokenizer, DecoderSpec& spec) {
  constexpr int64_t kMostPadding = 1024;
  const int64_t tokens = tokenizer.tokenizer->size();
  if (tokens > spec.vocabulary + kMostPadding) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{} has {} tokens, but {} has only {} rows.", tokenizer.file, tokens,
                            spec.embedding, spec.vocabulary),
                "The tokenizer belongs to another model.");
  }
  spec.padded_vocabulary = std::max(spec.vocabulary, tokens);
}

void CheckCacheLength(int cache_length, const DecoderSpec& spec) {
  constexpr int kMost = 1 << 20;
  const auto most = static_cast<int>(std::min<int64_t>(kMost, spec.max_positions));
  if (cache_length < 1 || cache_length > most) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--kv-cache-max-len {} does not lie between 1 and {}, the positions "
                            "that the model knows.",
                            cache_length, most));
  }
}

void CheckFreeSpace(const std::filesystem::path& output, uint64_t needed) {
  const std::filesystem::path folder = std::filesystem::absolute(output).parent_path();
  struct statvfs info;
  if (::statvfs(folder.c_str(), &info) != 0) return;  // Writing will tell.
  const uint64_t free = uint64_t{info.f_bavail} * info.f_frsize;
  if (free < needed) {
    throw Error(ErrorCode::kIo,
                fmt::format("{} needs {} MB, but only {} MB are free in {}.", output.string(),
                            needed / 1000000 + 1, free / 1000000, folder.string()),
                "Free disk space, or choose another place with --output-dir or --models-dir.");
  }
}

}  // namespace

std::string_view QuantizationName(Quantization quantization) {
  return std::ranges::find(kNames, quantization, &decltype(kNames)::value_type::first)->second;
}

std::optional<Quantization> ParseQuantization(std::string_view name) {
  const auto it = std::ranges::find(kNames, name, &decltype(kNames)::value_type::second);
  return it == kNames.end() ? std::nullopt : std::optional(it->first);
}

ConvertResult Convert(const ConvertOptions& options) {
  ProgressReporter progress(options.progress);
  const CheckpointConfigs configs = ReadConfigs(options.checkpoint);
  const Family& family = FindFamily(configs.model.String("model_type"), configs.model.where());
  const Checkpoint checkpoint = Checkpoint::Open(options.checkpoint);
  DecoderSpec spec = Describe(family, configs, checkpoint, options.checkpoint);
  CheckCacheLength(options.kv_cache_max_len, spec);
  const std::vector<int> lengths =
      PrefillLengths(options.prefill_seq_lens, options.kv_cache_max_len);
  const TokenizerSection tokenizer = ReadTokenizer(options.checkpoint, family.tokenizer_files);
  CoverTokenizer(tokenizer, spec);
  const std::string metadata = SerializeLlmMetadata(
      MakeMetadata(family, configs, *tokenizer.tokenizer, static_cast<int>(spec.vocabulary),
                   options.kv_cache_max_len));

  ThreadPool pool(options.threads > 0 ? options.threads : DefaultThreadCount());
  TfliteBuilder model;
  model.SetDescription("LiteRT-LM-CLI");
  const WeightStore weights(spec, checkpoint, options.quantization, pool, progress, model);
  EmitGraph(spec, weights,
            {.prefill_lengths = lengths,
             .cache_length = options.kv_cache_max_len,
             .dynamic = options.quantization != Quantization::kInt8},
            model);

  LitertlmWriter writer;
  writer.AddSystemMetadata({"Authors", std::string("LiteRT-LM-CLI")});
  const auto write = [](const std::string& bytes) {
    return [&bytes](ByteSink& sink) { sink.Write(AsBytes(bytes)); };
  };
  writer.AddSection(SectionType::kLlmMetadata, {}, metadata.size(), write(metadata));
  writer.AddSection(tokenizer.type, {}, tokenizer.bytes.size(), write(tokenizer.bytes));
  writer.AddSection(SectionType::kTfliteModel,
                    {{std::string(kModelTypeKey), std::string(kPrefillDecodeModel)}},
                    model.Finish(), [&](ByteSink& sink) { model.Write(sink); });

  // First, as it clears away what a conversion that was killed has left.
  AtomicFile file(options.output);
  CheckFreeSpace(options.output, writer.FileSize());
  progress.Begin("Writing weights", writer.FileSize());
  writer.Write(file);
  file.Commit();
  progress.End();
  return {.bytes = file.written(),
          .tensors = static_cast<int>(weights.size()),
          .family = std::string(family.name)};
}

}  // namespace litertlm
