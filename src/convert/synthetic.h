// Checkpoints of real models' shapes with random weights: speed, size and memory can be measured
// with them without a download. What they answer is noise.
#ifndef LITERTLM_CONVERT_SYNTHETIC_H_
#define LITERTLM_CONVERT_SYNTHETIC_H_

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/progress.h"

namespace litertlm {

/// "qwen3-0.6b", "qwen3-1.7b", "qwen3-4b", "gemma3-270m", "gemma3-1b".
std::vector<std::string_view> SyntheticModels();

/// Writes a folder that `Convert` takes: config.json, a tokenizer as large as the real one, and at
/// last model.safetensors with BF16 weights, the same ones each time. `threads` 0:
/// DefaultThreadCount(). `progress` may be null. Throws kUsage for a name that is not in
/// `SyntheticModels`, kInterrupted, and what writing files throws.
void WriteSyntheticCheckpoint(std::string_view model, const std::filesystem::path& folder,
                              int threads, Progress* progress);

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_SYNTHETIC_H_
