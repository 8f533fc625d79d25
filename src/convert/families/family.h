// A model family: what the converter has to know about it, and no more.
#ifndef LITERTLM_CONVERT_FAMILIES_FAMILY_H_
#define LITERTLM_CONVERT_FAMILIES_FAMILY_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "convert/config.h"
#include "convert/decoder_spec.h"

namespace litertlm {

/// Names of a checkpoint's tensors: "model.layers.0…" in most, "language_model.model.layers.0…" or
/// "model.language_model.layers.0…" where the decoder is a part of a multimodal model.
struct TensorNames {
  std::string decoder = "model.";  ///< In front of "embed_tokens.weight", "layers.0." and "norm.".
  std::string head = "lm_head.weight";
};

/// Immutable; one static object for each family (registry.cc).
struct Family {
  std::string_view name;
  std::vector<std::string_view> model_types;  ///< Values of config.json's "model_type".
  /// Reads the decoder's part of config.json (`text_config` in multimodal checkpoints).
  DecoderSpec (*describe)(const Config& config, const TensorNames& names);
  Bytes metadata;  ///< LlmMetadata, encoded from <name>_metadata.textproto.
  /// Tokenizer files in order of preference: "tokenizer.model", "tokenizer.json".
  std::vector<std::string_view> tokenizer_files;
  /// Whether the checkpoint's generation_config.json overrides the sampler of `metadata`.
  bool sampler_from_checkpoint;
};

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_FAMILIES_FAMILY_H_
