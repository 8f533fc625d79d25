// What a decoder-only transformer consists of, in no family's words: the border between the
// families, which read checkpoints' configurations, and the emission of graphs.
#ifndef LITERTLM_CONVERT_DECODER_SPEC_H_
#define LITERTLM_CONVERT_DECODER_SPEC_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "convert/rope.h"

namespace litertlm {

/// y = W x + b. Names are those of the checkpoint's tensors.
struct LinearSpec {
  std::string weight;  ///< [outputs, inputs].
  std::string bias;    ///< [outputs]; empty for none.
  int64_t outputs = 0;
  int64_t inputs = 0;
};

/// y = x / sqrt(mean(x^2) + epsilon) * (gain + DecoderSpec::norm_gain_offset).
struct NormSpec {
  std::string gain;  ///< [size].
  int64_t size = 0;
};

enum class Activation { kSilu, kGeluTanh };

struct AttentionSpec {
  LinearSpec query, key, value, output;
  std::optional<NormSpec> query_norm, key_norm;  ///< Over each head, before the rotation.
  size_t rope = 0;                               ///< Index into DecoderSpec::ropes.
  int64_t window = 0;        ///< Keys that a query sees, itself included; 0: all before it.
  double score_scale = 1;    ///< On query · key.
  double score_softcap = 0;  ///< c tanh(score / c) if not 0.
};

struct GatedMlpSpec {
  LinearSpec gate, up, down;  ///< down(activation(gate(x)) * up(x)).
};

struct LayerSpec {
  NormSpec before_attention;
  AttentionSpec attention;
  std::optional<NormSpec> after_attention;  ///< On the branch, before it is added.
  NormSpec before_mlp;
  GatedMlpSpec mlp;
  std::optional<NormSpec> after_mlp;
};

struct DecoderSpec {
  std::string family;
  int64_t vocabulary = 0;         ///< Rows of the checkpoint's embedding.
  int64_t padded_vocabulary = 0;  ///< Rows of the file's: at least as many; the others are zeros.
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;  ///< Divides `heads`.
  int64_t head_dim = 0;  ///< Even.
  int64_t max_positions = 0;

  std::string embedding;  ///< [vocabulary, hidden].
  std::string head;       ///< The same shape; equal to `embedding` if tied.
  double embedding_scale = 1;
  double norm_epsilon = 0;
  double norm_gain_offset = 0;
  double logit_softcap = 0;  ///< As AttentionSpec::score_softcap, on the logits.
  Activation activation = Activation::kSilu;
  std::vector<RopeTable> ropes;
  std::vector<LayerSpec> layers;
  NormSpec final_norm;
};

/// Calls `visit` for each tensor of the checkpoint that the decoder uses, in the order in which
/// the graph does; a tied head is visited once.
void ForEachTensor(
    const DecoderSpec& spec,
    const std::function<void(const std::string& name, const std::vector<int64_t>& shape)>& visit);

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_DECODER_SPEC_H_
