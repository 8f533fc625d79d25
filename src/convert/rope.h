// Rotary position embeddings: the frequencies that a checkpoint was trained with.
#ifndef LITERTLM_CONVERT_ROPE_H_
#define LITERTLM_CONVERT_ROPE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "convert/config.h"

namespace litertlm {

/// The most positions that a configuration may speak of: far above any model there is.
constexpr int64_t kMaxPositions = int64_t{1} << 30;

/// Pair i of a head (elements i and i + head_dim / 2) turns by position * inverse_frequencies[i].
struct RopeTable {
  std::vector<float> inverse_frequencies;  ///< [head_dim / 2].
  /// What YaRN multiplies sine and cosine by. As both the query and the key are turned, attention
  /// scores grow by its square.
  double attention_factor = 1.0;
};

/// theta^(-2i / head_dim), changed as `scaling` says: a config's `rope_scaling` or
/// `rope_parameters`, absent for none. Known types: default, linear, llama3 and yarn, with the
/// formulas of Hugging Face Transformers' modeling_rope_utils. Throws kUnsupported naming another.
RopeTable MakeRopeTable(double theta, int64_t head_dim, int64_t max_position_embeddings,
                        const std::optional<Config>& scaling);

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_ROPE_H_
