// A second implementation of the Qwen3 and Gemma3 decoders and of every weight coding, straight
// from their formulas: what converted files, run by the engine, are compared with. Of the project's
// sources it uses only the reading of checkpoints.
//
// Sums run in double; what a graph would hold in a tensor is rounded to float, because dynamic
// quantization makes a step of the smallest difference.
#ifndef LITERTLM_TESTS_CONFORMANCE_DECODER_EMULATION_H_
#define LITERTLM_TESTS_CONFORMANCE_DECODER_EMULATION_H_

#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "convert/convert.h"
#include "format/safetensors.h"

namespace litertlm::testing {

using Row = std::vector<float>;

/// Rounds activations to int8 codes. Two correct programs differ in the last bits of a float, and
/// so round a value in the middle between two codes differently: a step that later tokens inherit.
/// Such values are counted here, and any of them can be told to round to its other neighbour.
class ActivationRounding {
 public:
  /// Starts a token; `turned` are indices into close_calls() of the same token rounded plainly.
  void Begin(std::set<int> turned);
  float Round(float x);
  /// How many values of this token lay within kClose of the middle.
  int close_calls() const { return close_calls_; }

 private:
  /// In codes. Float noise of the two bundled models reaches about 1e-4 codes.
  static constexpr float kClose = 5e-4f;
  std::set<int> turned_;
  int close_calls_ = 0;
};

/// A weight matrix [outputs, inputs] as a coding stores it.
class CodedMatrix {
 public:
  CodedMatrix() = default;
  CodedMatrix(const CheckpointTensor& tensor, Quantization coding);

  /// W · x, with quantized activations where the coding asks for them.
  Row Multiply(const Row& x, ActivationRounding& rounding) const;
  /// The row as an embedding lookup gives it.
  Row Lookup(int row) const;

 private:
  void Encode(int block, float largest_code, bool bf16_scales);

  int outputs_ = 0;
  int inputs_ = 0;
  int block_ = 0;  ///< Weights that share a scale; 0: stored as floats.
  bool dynamic_ = false;
  std::vector<float> weights_;  ///< Floats, or whole numbers to be multiplied with their scale.
  std::vector<float> scales_;   ///< [outputs, inputs / block].
};

class DecoderEmulation {
 public:
  DecoderEmulation(const std::filesystem::path& checkpoint_folder, Quantization coding);

  /// Logits after `token`, which stands at `position`; all positions before must have been given.
  Row Logits(int32_t token, int position, ActivationRounding& rounding);

 private:
  struct Layer {
    bool local = false;  ///< Attends to the sliding window only.
    CodedMatrix q, k, v, o, gate, up, down;
    Row input_norm, q_norm, k_norm, post_attention_norm;
    Row pre_feedforward_norm, post_feedforward_norm;  ///< Gemma3 only.
    std::vector<Row> keys, values;                    ///< Of all positions up to this one.
  };

  Layer LoadLayer(const Checkpoint& checkpoint, int index, Quantization coding) const;
  Row Gain(const Checkpoint& checkpoint, const std::string& name) const;
  Row Normalize(const Row& x, const Row& gain) const;
  void Rotate(Row& heads, int position, double theta) const;
  Row Attention(Layer& layer, const Row& x, int position, ActivationRounding& rounding) const;
  Row Mix(const Layer& layer, const Row& query, int position) const;
  Row FeedForward(const Layer& layer, const Row& x, ActivationRounding& rounding) const;

  bool gemma_ = false;
  int hidden_ = 0, heads_ = 0, kv_heads_ = 0, head_dim_ = 0, window_ = 0;
  double epsilon_ = 0, theta_ = 0, local_theta_ = 0, query_scale_ = 0;
  CodedMatrix embedding_;
  std::vector<Layer> layers_;
  Row final_norm_;
};

}  // namespace litertlm::testing

#endif  // LITERTLM_TESTS_CONFORMANCE_DECODER_EMULATION_H_
