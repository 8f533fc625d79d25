#include "convert/families/qwen3.h"

#include <cmath>

#include "convert/families/common.h"

namespace litertlm {
namespace {

constexpr unsigned char kQwen3Metadata[] = {
#include <families/qwen3_metadata.inc>
};

// Two norms per layer, in front of the branches; SiLU; norms of queries and keys over each head.
DecoderSpec DescribeQwen3(const Config& config, const TensorNames& names) {
  DecoderSpec spec = DescribeDecoder(config, names, {.head_dim = 128});
  RequireString(config, "hidden_act", "silu");
  spec.activation = Activation::kSilu;
  spec.ropes = {ReadRope(config, spec,
                         {.layer_type = kFullAttention,
                          .theta = "rope_theta",
                          .default_theta = 10000,
                          .scaled = true})};

  const bool slides = config.Bool("use_sliding_window", false) && config.Has("sliding_window");
  const int64_t window = slides ? config.Int("sliding_window", 1, int64_t{1} << 30) : 0;
  const int64_t full_layers = config.Int("max_window_layers", 0, int64_t{1} << 20, 28);
  const std::vector<bool> sliding = SlidingLayers(
      config, spec.layers.size(), [&](int64_t layer) { return slides && layer >= full_layers; });
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    AttentionSpec& attention = spec.layers[i].attention;
    attention.window = sliding[i] ? window : 0;
    attention.score_scale = 1 / std::sqrt(static_cast<double>(spec.head_dim));
  }
  return spec;
}

}  // namespace

const Family& Qwen3Family() {
  static const Family family = {
      .name = "qwen3",
      .model_types = {"qwen3"},
      .describe = DescribeQwen3,
      .metadata = std::as_bytes(std::span(kQwen3Metadata)),
      .tokenizer_files = {"tokenizer.json"},
      .sampler_from_checkpoint = true,
  };
  return family;
}

}  // namespace litertlm
