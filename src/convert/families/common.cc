#include "convert/families/common.h"

#include <fmt/format.h>

#include "convert/rope.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

// Far above any model there is; they keep products of sizes within 64 bits.
constexpr int64_t kMaxWidth = int64_t{1} << 18;
constexpr int64_t kMaxVocabulary = int64_t{1} << 24;
constexpr int64_t kMaxLayers = 1024;
constexpr int64_t kMaxHeads = 4096;
constexpr int64_t kMaxHeadDim = 4096;

AttentionSpec DescribeAttention(const DecoderSpec& spec, const std::string& prefix, bool biases) {
  const auto linear = [&](std::string_view name, int64_t outputs, int64_t inputs) {
    const std::string stem = fmt::format("{}self_attn.{}.", prefix, name);
    return LinearSpec{stem + "weight", biases ? stem + "bias" : "", outputs, inputs};
  };
  AttentionSpec attention;
  attention.query = linear("q_proj", spec.heads * spec.head_dim, spec.hidden);
  attention.key = linear("k_proj", spec.kv_heads * spec.head_dim, spec.hidden);
  attention.value = linear("v_proj", spec.kv_heads * spec.head_dim, spec.hidden);
  attention.output = linear("o_proj", spec.hidden, spec.heads * spec.head_dim);
  attention.query_norm = NormSpec{prefix + "self_attn.q_norm.weight", spec.head_dim};
  attention.key_norm = NormSpec{prefix + "self_attn.k_norm.weight", spec.head_dim};
  return attention;
}

}  // namespace

DecoderSpec DescribeDecoder(const Config& config, const TensorNames& names,
                            const DecoderDefaults& defaults) {
  DecoderSpec spec;
  spec.vocabulary = config.Int("vocab_size", 1, kMaxVocabulary, defaults.vocab_size);
  spec.padded_vocabulary = spec.vocabulary;
  spec.hidden = config.Int("hidden_size", 1, kMaxWidth, defaults.hidden_size);
  spec.heads = config.Int("num_attention_heads", 1, kMaxHeads, defaults.num_attention_heads);
  spec.kv_heads = config.Int("num_key_value_heads", 1, spec.heads, defaults.num_key_value_heads);
  spec.head_dim = config.Int("head_dim", 2, kMaxHeadDim, defaults.head_dim);
  spec.max_positions =
      config.Int("max_position_embeddings", 1, kMaxPositions, defaults.max_position_embeddings);
  spec.norm_epsilon = config.Number("rms_norm_eps", 1e-12, 1e-2, 1e-6);
  const int64_t mlp_width =
      config.Int("intermediate_size", 1, kMaxWidth, defaults.intermediate_size);
  const int64_t layers = config.Int("num_hidden_layers", 1, kMaxLayers, defaults.num_hidden_layers);
  const bool biases = config.Bool("attention_bias", false);
  if (spec.heads % spec.kv_heads != 0) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: \"num_attention_heads\" ({}) is not a multiple of "
                            "\"num_key_value_heads\" ({}).",
                            config.where(), spec.heads, spec.kv_heads));
  }
  if (spec.head_dim % 2 != 0) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: \"head_dim\" ({}) is odd.", config.where(), spec.head_dim));
  }

  spec.embedding = names.decoder + "embed_tokens.weight";
  spec.head = config.Bool("tie_word_embeddings", defaults.tie_word_embeddings) ? spec.embedding
                                                                               : names.head;
  spec.final_norm = {names.decoder + "norm.weight", spec.hidden};
  for (int64_t i = 0; i < layers; ++i) {
    const std::string prefix = LayerPrefix(names, i);
    LayerSpec layer;
    layer.attention = DescribeAttention(spec, prefix, biases);
    layer.before_attention = {prefix + "input_layernorm.weight", spec.hidden};
    layer.before_mlp = {prefix + "post_attention_layernorm.weight", spec.hidden};
    layer.mlp.gate = {prefix + "mlp.gate_proj.weight", "", mlp_width, spec.hidden};
    layer.mlp.up = {prefix + "mlp.up_proj.weight", "", mlp_width, spec.hidden};
    layer.mlp.down = {prefix + "mlp.down_proj.weight", "", spec.hidden, mlp_width};
    spec.layers.push_back(std::move(layer));
  }
  return spec;
}

std::string LayerPrefix(const TensorNames& names, int64_t layer) {
  return fmt::format("{}layers.{}.", names.decoder, layer);
}

std::vector<bool> SlidingLayers(const Config& config, size_t layers,
                                const std::function<bool(int64_t)>& fallback) {
  std::vector<bool> sliding;
  if (!config.Has("layer_types")) {
    for (size_t i = 0; i < layers; ++i) sliding.push_back(fallback(static_cast<int64_t>(i)));
    return sliding;
  }
  for (const std::string& type : config.Strings("layer_types")) {
    if (type != kFullAttention && type != kSlidingAttention) {
      throw Error(
          ErrorCode::kUnsupported,
          fmt::format("{}: layers of type \"{}\" are not supported.", config.where(), type));
    }
    sliding.push_back(type == kSlidingAttention);
  }
  if (sliding.size() != layers) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: \"layer_types\" has {} entries for {} layers.", config.where(),
                            sliding.size(), layers));
  }
  return sliding;
}

RopeTable ReadRope(const Config& config, const DecoderSpec& spec, const RopeKeys& keys) {
  constexpr double kMinTheta = 1 + 1e-6;  // YaRN divides by its logarithm.
  constexpr double kMaxTheta = 1e12;
  std::optional<Config> parameters = config.Object("rope_parameters");
  if (parameters && parameters->Has(keys.layer_type)) {
    parameters = parameters->Object(keys.layer_type);
  }
  if (parameters) {
    const double theta = parameters->Number("rope_theta", kMinTheta, kMaxTheta, keys.default_theta);
    return MakeRopeTable(theta, spec.head_dim, spec.max_positions, parameters);
  }
  const double theta = config.Number(keys.theta, kMinTheta, kMaxTheta, keys.default_theta);
  return MakeRopeTable(theta, spec.head_dim, spec.max_positions,
                       keys.scaled ? config.Object("rope_scaling") : std::nullopt);
}

void RequireString(const Config& config, std::string_view key, std::string_view expected) {
  const std::string value = config.String(key, std::string(expected));
  if (value != expected) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: \"{}\" is \"{}\"; only \"{}\" is supported.", config.where(), key,
                            value, expected));
  }
}

}  // namespace litertlm
