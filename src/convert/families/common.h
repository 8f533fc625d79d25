// What the decoders of this house's families have in common: the names that Hugging Face gives
// their tensors, and the keys of their configurations.
#ifndef LITERTLM_CONVERT_FAMILIES_COMMON_H_
#define LITERTLM_CONVERT_FAMILIES_COMMON_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "convert/config.h"
#include "convert/decoder_spec.h"
#include "convert/families/family.h"

namespace litertlm {

/// Defaults of a family's configuration class, which checkpoints may leave out; a value that is
/// absent here is required.
struct DecoderDefaults {
  std::optional<int64_t> vocab_size = {};
  std::optional<int64_t> hidden_size = {};
  std::optional<int64_t> intermediate_size = {};
  std::optional<int64_t> num_hidden_layers = {};
  std::optional<int64_t> num_attention_heads = {};
  std::optional<int64_t> num_key_value_heads = {};
  std::optional<int64_t> head_dim = {};
  std::optional<int64_t> max_position_embeddings = {};
  bool tie_word_embeddings = false;
};

/// Reads and checks the sizes, names the embedding, head and final norm, and makes
/// `num_hidden_layers` layers with norms before attention and before the MLP, and with biases
/// where `attention_bias` is set. Ropes, masks and scales are left to the family.
DecoderSpec DescribeDecoder(const Config& config, const TensorNames& names,
                            const DecoderDefaults& defaults);

/// "model.layers.7." for layer 7.
std::string LayerPrefix(const TensorNames& names, int64_t layer);

inline constexpr std::string_view kFullAttention = "full_attention";
inline constexpr std::string_view kSlidingAttention = "sliding_attention";

/// For each layer, whether its attention slides: by `layer_types`, or where that key is absent by
/// `fallback(layer)`.
std::vector<bool> SlidingLayers(const Config& config, size_t layers,
                                const std::function<bool(int64_t layer)>& fallback);

/// Where a configuration keeps the rope of one kind of layer.
struct RopeKeys {
  std::string_view layer_type;  ///< Key inside `rope_parameters`, where those differ by kind.
  std::string_view theta;       ///< Key of theta in configurations without `rope_parameters`.
  double default_theta;
  bool scaled;  ///< Whether `rope_scaling` applies in configurations without `rope_parameters`.
};
RopeTable ReadRope(const Config& config, const DecoderSpec& spec, const RopeKeys& keys);

/// Throws kUnsupported unless the string under `key` is `expected` or absent.
void RequireString(const Config& config, std::string_view key, std::string_view expected);

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_FAMILIES_COMMON_H_
