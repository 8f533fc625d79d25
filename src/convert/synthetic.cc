#include "convert/synthetic.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/half.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "convert/config.h"
#include "convert/families/registry.h"
#include "convert/progress_reporter.h"
#include "convert/synthetic_tokenizer.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

struct ModelShape {
  std::string_view name;
  std::string_view model_type;
  int hidden, mlp, layers, heads, kv_heads, head_dim;
};

constexpr std::string_view kGemma3 = "gemma3_text";

constexpr ModelShape kShapes[] = {
    {"qwen3-0.6b", "qwen3", 1024, 3072, 28, 16, 8, 128},
    {"qwen3-1.7b", "qwen3", 2048, 6144, 28, 16, 8, 128},
    {"qwen3-4b", "qwen3", 2560, 9728, 36, 32, 8, 128},
    {"gemma3-270m", kGemma3, 640, 2048, 18, 4, 1, 256},
    {"gemma3-1b", kGemma3, 1152, 6912, 26, 4, 1, 256},
};

bool IsGemma(const ModelShape& shape) { return shape.model_type == kGemma3; }

Json MakeConfig(const ModelShape& shape) {
  Json config = {{"model_type", shape.model_type},
                 {"hidden_size", shape.hidden},
                 {"intermediate_size", shape.mlp},
                 {"num_hidden_layers", shape.layers},
                 {"num_attention_heads", shape.heads},
                 {"num_key_value_heads", shape.kv_heads},
                 {"head_dim", shape.head_dim},
                 {"rms_norm_eps", 1e-6},
                 {"rope_theta", 1000000},
                 {"tie_word_embeddings", true}};
  if (IsGemma(shape)) {
    config["vocab_size"] = 262144;
    config["bos_token_id"] = 2;
    config["eos_token_id"] = {1, 106};
    config["max_position_embeddings"] = 32768;
    config["sliding_window"] = 512;
    config["query_pre_attn_scalar"] = shape.head_dim;
    config["rope_local_base_freq"] = 10000;
  } else {
    config["vocab_size"] = 151936;
    config["bos_token_id"] = 151643;
    config["eos_token_id"] = {151645, 151643};
    config["max_position_embeddings"] = 40960;
  }
  return config;
}

struct Tensor {
  std::string name;
  std::vector<int64_t> shape;
  uint64_t bytes;
};

std::vector<Tensor> ListTensors(const Config& config, const ModelShape& shape) {
  const DecoderSpec spec = FindFamily(shape.model_type, config.where()).describe(config, {});
  std::vector<Tensor> tensors;
  ForEachTensor(spec, [&](const std::string& name, const std::vector<int64_t>& dims) {
    uint64_t elements = 1;
    for (const int64_t n : dims) elements *= static_cast<uint64_t>(n);
    tensors.push_back({name, dims, elements * sizeof(uint16_t)});
  });
  return tensors;
}

std::string SafetensorsHeader(const std::vector<Tensor>& tensors) {
  Json header = Json::object();
  uint64_t offset = 0;
  for (const Tensor& tensor : tensors) {
    header[tensor.name] = {{"dtype", "BF16"},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + tensor.bytes}}};
    offset += tensor.bytes;
  }
  std::string text = DumpJson(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // Keeps the data aligned.
  const uint64_t size = text.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + text;
}

// SplitMix64 (Steele, Lea, Flood 2014): the n-th number of a sequence, without the ones before it.
uint64_t Random(uint64_t n) {
  uint64_t z = (n + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// About normally distributed: the sum of four evenly distributed bytes. Its deviation is 1.
float NormalNumber(uint32_t random) {
  constexpr float kMean = -2;           // Signed bytes reach one further down than up.
  constexpr float kDeviation = 147.8f;  // sqrt(4 (256² - 1) / 12)
  int sum = 0;
  for (int shift = 0; shift < 32; shift += 8) sum += static_cast<int8_t>(random >> shift);
  return (static_cast<float>(sum) - kMean) / kDeviation;
}

// Fills `out` with BF16 numbers, distributed as trained weights are, with a standard deviation of
// 0.02. `out` begins at byte `offset`, a multiple of 8, of the data of all tensors.
void FillWeights(uint64_t offset, std::span<std::byte> out) {
  constexpr float kDeviation = 0.02f;
  for (size_t i = 0; i < out.size(); i += sizeof(uint64_t)) {
    const uint64_t number = (offset + i) / sizeof(uint64_t) * 2;
    uint16_t weights[4];
    for (size_t k = 0; k < 4; ++k) {
      const uint64_t random = Random(number + k / 2) >> (k % 2 * 32);
      weights[k] = FloatToBF16(NormalNumber(static_cast<uint32_t>(random)) * kDeviation);
    }
    std::memcpy(out.data() + i, weights, std::min(sizeof weights, out.size() - i));
  }
}

void FillVector(float value, std::span<std::byte> out) {
  const uint16_t bits = FloatToBF16(value);
  for (size_t i = 0; i < out.size(); i += sizeof bits) {
    std::memcpy(out.data() + i, &bits, sizeof bits);
  }
}

void WriteTensors(const std::vector<Tensor>& tensors, float gain, ThreadPool& pool,
                  ProgressReporter& progress, ByteSink& sink) {
  constexpr size_t kTask = 256 << 10;
  std::vector<std::byte> buffer(32 * kTask);
  uint64_t offset = 0;
  for (const Tensor& tensor : tensors) {
    for (uint64_t done = 0; done < tensor.bytes;) {
      const auto chunk =
          std::span(buffer).first(std::min<uint64_t>(buffer.size(), tensor.bytes - done));
      if (tensor.shape.size() == 1) {
        FillVector(gain, chunk);
      } else {
        pool.ParallelFor((chunk.size() + kTask - 1) / kTask, [&](size_t i, int) {
          FillWeights(offset + i * kTask,
                      chunk.subspan(i * kTask, std::min(kTask, chunk.size() - i * kTask)));
        });
      }
      sink.Write(chunk);
      done += chunk.size();
      offset += chunk.size();
      progress.Advance(chunk.size(), tensor.name);
    }
  }
}

void WriteText(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.Write(AsBytes(text));
  file.Commit();
}

}  // namespace

std::vector<std::string_view> SyntheticModels() {
  std::vector<std::string_view> names;
  for (const ModelShape& shape : kShapes) names.push_back(shape.name);
  return names;
}

void WriteSyntheticCheckpoint(std::string_view model, const std::filesystem::path& folder,
                              int threads, Progress* progress) {
  const auto* shape = std::ranges::find(kShapes, model, &ModelShape::name);
  if (shape == std::end(kShapes)) {
    throw Error(ErrorCode::kUsage, fmt::format("There is no synthetic model \"{}\".", model),
                fmt::format("There are {}.", fmt::join(SyntheticModels(), ", ")));
  }
  const std::string config = DumpJson(MakeConfig(*shape), 2);
  WriteText(folder / "config.json", config);
  if (IsGemma(*shape)) {
    WriteText(folder / "tokenizer.model", Gemma3TokenizerModel());
  } else {
    WriteText(folder / "tokenizer.json", Qwen3TokenizerJson());
  }

  const std::vector<Tensor> tensors = ListTensors(Config::Parse(config, "config.json"), *shape);
  uint64_t total = 0;
  for (const Tensor& tensor : tensors) total += tensor.bytes;
  ThreadPool pool(threads > 0 ? threads : DefaultThreadCount());
  ProgressReporter reporter(progress);
  // Last, so that a folder that has this file is complete.
  AtomicFile file(folder / "model.safetensors");
  file.Write(AsBytes(SafetensorsHeader(tensors)));
  reporter.Begin("Making weights", total);
  // Gemma 3 stores the gains of norms less 1.
  WriteTensors(tensors, IsGemma(*shape) ? 0.0f : 1.0f, pool, reporter, file);
  file.Commit();
  reporter.End();
}

}  // namespace litertlm
