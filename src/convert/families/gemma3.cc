#include "convert/families/gemma3.h"

#include <fmt/format.h>

#include <cmath>

#include "convert/families/common.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr unsigned char kGemma3Metadata[] = {
#include <families/gemma3_metadata.inc>
};

// Multimodal checkpoints leave most of text_config to the defaults of Transformers'
// Gemma3TextConfig.
constexpr DecoderDefaults kDefaults = {.vocab_size = 262208,
                                       .hidden_size = 2304,
                                       .intermediate_size = 9216,
                                       .num_hidden_layers = 26,
                                       .num_attention_heads = 8,
                                       .num_key_value_heads = 4,
                                       .head_dim = 256,
                                       .max_position_embeddings = 131072,
                                       .tie_word_embeddings = true};

constexpr size_t kGlobalRope = 0;
constexpr size_t kLocalRope = 1;

void Check(const Config& config) {
  RequireString(config, "hidden_activation", "gelu_pytorch_tanh");
  if (config.Bool("use_bidirectional_attention", false)) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: bidirectional attention is not supported.", config.where()),
                "Such a model makes embeddings; it does not generate text.");
  }
}

void NameNorms(const std::string& prefix, int64_t hidden, LayerSpec& layer) {
  layer.after_attention = NormSpec{prefix + "post_attention_layernorm.weight", hidden};
  layer.before_mlp = {prefix + "pre_feedforward_layernorm.weight", hidden};
  layer.after_mlp = NormSpec{prefix + "post_feedforward_layernorm.weight", hidden};
}

// Four norms per layer, whose gains are stored less 1; five of six layers see a window only.
DecoderSpec DescribeGemma3(const Config& config, const TensorNames& names) {
  DecoderSpec spec = DescribeDecoder(config, names, kDefaults);
  Check(config);
  spec.activation = Activation::kGeluTanh;
  spec.norm_gain_offset = 1;
  spec.embedding_scale = std::sqrt(static_cast<double>(spec.hidden));
  spec.logit_softcap = config.Number("final_logit_softcapping", 1e-3, 1e6, 0.0);
  spec.ropes = {ReadRope(config, spec,
                         {.layer_type = kFullAttention,
                          .theta = "rope_theta",
                          .default_theta = 1e6,
                          .scaled = true}),
                ReadRope(config, spec,
                         {.layer_type = kSlidingAttention,
                          .theta = "rope_local_base_freq",
                          .default_theta = 1e4,
                          .scaled = false})};

  const int64_t window = config.Int("sliding_window", 1, int64_t{1} << 30, 4096);
  const double scalar = config.Number("query_pre_attn_scalar", 1e-3, 1e6, 256.0);
  const int64_t pattern = config.Int("sliding_window_pattern", 1, 1024,
                                     config.Int("_sliding_window_pattern", 1, 1024, 6));
  const std::vector<bool> sliding = SlidingLayers(
      config, spec.layers.size(), [&](int64_t layer) { return (layer + 1) % pattern != 0; });
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    LayerSpec& layer = spec.layers[i];
    NameNorms(LayerPrefix(names, static_cast<int64_t>(i)), spec.hidden, layer);
    layer.attention.window = sliding[i] ? window : 0;
    layer.attention.rope = sliding[i] ? kLocalRope : kGlobalRope;
    layer.attention.score_scale = 1 / std::sqrt(scalar);
    layer.attention.score_softcap = config.Number("attn_logit_softcapping", 1e-3, 1e6, 0.0);
  }
  return spec;
}

}  // namespace

const Family& Gemma3Family() {
  static const Family family = {
      .name = "gemma3",
      .model_types = {"gemma3_text", "gemma3"},
      .describe = DescribeGemma3,
      .metadata = std::as_bytes(std::span(kGemma3Metadata)),
      .tokenizer_files = {"tokenizer.model", "tokenizer.json"},
      .sampler_from_checkpoint = false,
  };
  return family;
}

}  // namespace litertlm
