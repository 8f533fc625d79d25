// A Hugging Face checkpoint folder becomes a `.litertlm` file.
#ifndef LITERTLM_CONVERT_CONVERT_H_
#define LITERTLM_CONVERT_CONVERT_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"

namespace litertlm {

/// How weights are stored (docs/quantization.md).
enum class Quantization {
  kNone,                 ///< f32.
  kFp16,                 ///< f16, widened where it is used.
  kInt8,                 ///< Weight-only int8 per output channel; arithmetic in f32.
  kDynamicInt8,          ///< The same codes; activations are quantized on the fly.
  kDynamicInt4Block32,   ///< int4 with one scale per 32 weights.
  kDynamicInt4Block128,  ///< int4 with one scale per 128 weights.
};

std::string_view QuantizationName(Quantization quantization);  ///< As `--quantize` spells it.
std::optional<Quantization> ParseQuantization(std::string_view name);

struct ConvertOptions {
  std::filesystem::path checkpoint;  ///< Folder with config.json, tokenizer and safetensors.
  std::filesystem::path output;      ///< The `.litertlm` file to write.
  Quantization quantization = Quantization::kDynamicInt8;
  int kv_cache_max_len = 1280;
  /// Lengths of the prefill signatures. {256} alone stands for 8, 64, 128, 256, 512 and 1024, cut
  /// to the cache length; any other list gives exactly that set.
  std::vector<int> prefill_seq_lens = {256};
  int threads = 0;               ///< 0: DefaultThreadCount().
  Progress* progress = nullptr;  ///< May be null.
};

struct ConvertResult {
  uint64_t bytes = 0;
  int tensors = 0;
  std::string family;  ///< "qwen3", "gemma3".
};

/// Writes `options.output`, whole or not at all, replacing what was there. The same input gives the
/// same bytes. Private memory stays within a few hundred MB whatever the model's size.
/// Throws kNotFound, kBadInput, kUnsupported, kIo, kInterrupted; each names file and tensor.
ConvertResult Convert(const ConvertOptions& options);

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_CONVERT_H_
