#include "tests/conformance/decoder_emulation.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "base/file.h"
#include "base/half.h"
#include "base/json.h"

namespace litertlm::testing {
namespace {

std::vector<float> ReadBF16(const CheckpointTensor& tensor) {
  if (tensor.dtype != DType::kBF16) throw std::runtime_error(tensor.name + " is not BF16");
  std::vector<float> values(tensor.elements());
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, tensor.bytes.data() + 2 * i, 2);
    values[i] = BF16ToFloat(bits);
  }
  return values;
}

const CheckpointTensor& Find(const Checkpoint& checkpoint, const std::string& name) {
  const CheckpointTensor* tensor = checkpoint.Find(name);
  if (tensor == nullptr) throw std::runtime_error("no tensor " + name);
  return *tensor;
}

/// Activations of one token in the int8 codes of dynamic quantization (asymmetric, zero included).
struct QuantizedRow {
  float scale;
  std::vector<double> codes;  ///< With the zero point taken off.
};

QuantizedRow Quantize(const Row& x, ActivationRounding& rounding) {
  const auto [min, max] = std::ranges::minmax(x);
  const float low = std::min(min, 0.0f), high = std::max(max, 0.0f);
  const float scale = low == high ? 1.0f : (high - low) / 255.0f;
  const float zero = std::clamp(std::nearbyint(-128.0f - low / scale), -128.0f, 127.0f);
  QuantizedRow row{scale, {}};
  for (float value : x) {
    const float code = std::clamp(rounding.Round(value / scale) + zero, -128.0f, 127.0f);
    row.codes.push_back(code - zero);
  }
  return row;
}

float Silu(double x) { return static_cast<float>(x / (1 + std::exp(-x))); }

float GeluTanh(double x) {
  const double inner = std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x);
  return static_cast<float>(0.5 * x * (1 + std::tanh(inner)));
}

void AddTo(Row& x, const Row& y) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

}  // namespace

void ActivationRounding::Begin(std::set<int> turned) {
  turned_ = std::move(turned);
  close_calls_ = 0;
}

float ActivationRounding::Round(float x) {
  const float nearest = std::nearbyint(x);
  const float beyond = x - nearest;  // In [-0.5, 0.5].
  if (std::abs(beyond) < 0.5f - kClose) return nearest;
  return turned_.contains(close_calls_++) ? nearest + (beyond > 0 ? 1.0f : -1.0f) : nearest;
}

CodedMatrix::CodedMatrix(const CheckpointTensor& tensor, Quantization coding)
    : outputs_(static_cast<int>(tensor.shape[0])),
      inputs_(static_cast<int>(tensor.shape[1])),
      weights_(ReadBF16(tensor)) {
  switch (coding) {
    case Quantization::kNone:
      break;
    case Quantization::kFp16:
      for (float& weight : weights_) weight = F16ToFloat(FloatToF16(weight));
      break;
    case Quantization::kInt8:
    case Quantization::kDynamicInt8:
      Encode(inputs_, 127, /*bf16_scales=*/false);
      break;
    case Quantization::kDynamicInt4Block32:
      Encode(32, 7, /*bf16_scales=*/true);
      break;
    case Quantization::kDynamicInt4Block128:
      Encode(128, 7, /*bf16_scales=*/true);
      break;
  }
  dynamic_ = block_ != 0 && coding != Quantization::kInt8;
}

void CodedMatrix::Encode(int block, float largest_code, bool bf16_scales) {
  block_ = block;
  for (size_t begin = 0; begin < weights_.size(); begin += block) {
    const std::span<float> weights(&weights_[begin], block);
    float largest = 0;
    for (float weight : weights) largest = std::max(largest, std::abs(weight));
    float scale = largest == 0 ? 1.0f : largest / largest_code;
    if (bf16_scales) scale = BF16ToFloat(FloatToBF16(scale));
    scales_.push_back(scale);
    for (float& weight : weights) {
      weight = std::clamp(std::nearbyint(weight / scale), -largest_code, largest_code);
    }
  }
}

Row CodedMatrix::Multiply(const Row& x, ActivationRounding& rounding) const {
  float scale = 1;
  std::vector<double> input(x.begin(), x.end());
  if (dynamic_) {
    QuantizedRow quantized = Quantize(x, rounding);
    scale = quantized.scale;
    input = std::move(quantized.codes);
  }
  Row y(outputs_);
  const int block = block_ == 0 ? inputs_ : block_;
  for (int output = 0; output < outputs_; ++output) {
    double sum = 0;
    for (int begin = 0; begin < inputs_; begin += block) {
      const size_t at = size_t(output) * inputs_ + begin;
      double part = 0;
      for (int i = 0; i < block; ++i) part += input[begin + i] * weights_[at + i];
      sum += block_ == 0 ? part : part * scales_[at / block_];
    }
    y[output] = static_cast<float>(scale * sum);
  }
  return y;
}

Row CodedMatrix::Lookup(int row) const {
  Row values(inputs_);
  for (int i = 0; i < inputs_; ++i) {
    const size_t at = size_t(row) * inputs_ + i;
    values[i] = block_ == 0 ? weights_[at] : weights_[at] * scales_[at / block_];
  }
  return values;
}

DecoderEmulation::DecoderEmulation(const std::filesystem::path& folder, Quantization coding) {
  const Json config = ParseJson(ReadFile(folder / "config.json"), "config.json");
  const Checkpoint checkpoint = Checkpoint::Open(folder);
  gemma_ = config.at("model_type") == "gemma3_text";
  hidden_ = config.at("hidden_size");
  heads_ = config.at("num_attention_heads");
  kv_heads_ = config.at("num_key_value_heads");
  head_dim_ = config.at("head_dim");
  epsilon_ = config.at("rms_norm_eps");
  theta_ = config.at("rope_theta");
  query_scale_ = 1 / std::sqrt(double(head_dim_));
  if (gemma_) {
    window_ = config.at("sliding_window");
    local_theta_ = config.at("rope_local_base_freq");
    query_scale_ = 1 / std::sqrt(config.at("query_pre_attn_scalar").get<double>());
  }
  embedding_ = CodedMatrix(Find(checkpoint, "model.embed_tokens.weight"), coding);
  final_norm_ = Gain(checkpoint, "model.norm");
  const int layers = config.at("num_hidden_layers");
  for (int i = 0; i < layers; ++i) {
    layers_.push_back(LoadLayer(checkpoint, i, coding));
    layers_.back().local = gemma_ && config.at("layer_types").at(i) == "sliding_attention";
  }
}

DecoderEmulation::Layer DecoderEmulation::LoadLayer(const Checkpoint& checkpoint, int index,
                                                    Quantization coding) const {
  const std::string prefix = "model.layers." + std::to_string(index) + ".";
  const auto matrix = [&](const std::string& name) {
    return CodedMatrix(Find(checkpoint, prefix + name + ".weight"), coding);
  };
  const auto gain = [&](const std::string& name) { return Gain(checkpoint, prefix + name); };
  Layer layer;
  layer.q = matrix("self_attn.q_proj");
  layer.k = matrix("self_attn.k_proj");
  layer.v = matrix("self_attn.v_proj");
  layer.o = matrix("self_attn.o_proj");
  layer.gate = matrix("mlp.gate_proj");
  layer.up = matrix("mlp.up_proj");
  layer.down = matrix("mlp.down_proj");
  layer.input_norm = gain("input_layernorm");
  layer.q_norm = gain("self_attn.q_norm");
  layer.k_norm = gain("self_attn.k_norm");
  layer.post_attention_norm = gain("post_attention_layernorm");
  if (gemma_) {
    layer.pre_feedforward_norm = gain("pre_feedforward_layernorm");
    layer.post_feedforward_norm = gain("post_feedforward_layernorm");
  }
  return layer;
}

Row DecoderEmulation::Gain(const Checkpoint& checkpoint, const std::string& name) const {
  Row gain = ReadBF16(Find(checkpoint, name + ".weight"));
  // Gemma stores how far a gain is from one.
  for (float& value : gain) value += gemma_ ? 1.0f : 0.0f;
  return gain;
}

Row DecoderEmulation::Normalize(const Row& x, const Row& gain) const {
  Row y(x.size());
  const size_t width = gain.size();  // x may hold several heads.
  for (size_t begin = 0; begin < x.size(); begin += width) {
    double squares = 0;
    for (size_t i = 0; i < width; ++i) squares += double(x[begin + i]) * x[begin + i];
    const auto factor = static_cast<float>(1 / std::sqrt(squares / double(width) + epsilon_));
    for (size_t i = 0; i < width; ++i) y[begin + i] = x[begin + i] * factor * gain[i];
  }
  return y;
}

void DecoderEmulation::Rotate(Row& heads, int position, double theta) const {
  const int half = head_dim_ / 2;
  for (int i = 0; i < half; ++i) {
    // Frequency and angle are floats in every exporter's graph and in the reference.
    const auto frequency = static_cast<float>(std::pow(theta, -2.0 * i / head_dim_));
    const float angle = static_cast<float>(position) * frequency;
    const float cosine = std::cos(angle), sine = std::sin(angle);
    for (size_t head = 0; head < heads.size(); head += head_dim_) {
      float& a = heads[head + i];
      float& b = heads[head + half + i];
      const float rotated = a * cosine - b * sine;
      b = b * cosine + a * sine;
      a = rotated;
    }
  }
}

Row DecoderEmulation::Attention(Layer& layer, const Row& x, int position,
                                ActivationRounding& rounding) const {
  // One quantization serves the three matrices: the values that they round are the same.
  const ActivationRounding before = rounding;
  Row query = Normalize(layer.q.Multiply(x, rounding), layer.q_norm);
  rounding = before;
  Row key = Normalize(layer.k.Multiply(x, rounding), layer.k_norm);
  rounding = before;
  layer.values.resize(position);
  layer.values.push_back(layer.v.Multiply(x, rounding));

  const double theta = layer.local ? local_theta_ : theta_;
  Rotate(query, position, theta);
  Rotate(key, position, theta);
  for (float& value : query) value *= static_cast<float>(query_scale_);
  layer.keys.resize(position);
  layer.keys.push_back(std::move(key));
  return layer.o.Multiply(Mix(layer, query, position), rounding);
}

Row DecoderEmulation::Mix(const Layer& layer, const Row& query, int position) const {
  Row mixed(query.size());
  const int first = layer.local ? std::max(0, position - window_ + 1) : 0;
  for (int head = 0; head < heads_; ++head) {
    const int at = head * head_dim_;
    const int kv_at = head / (heads_ / kv_heads_) * head_dim_;
    std::vector<double> weights;
    for (int key = first; key <= position; ++key) {
      double dot = 0;
      for (int i = 0; i < head_dim_; ++i) dot += double(query[at + i]) * layer.keys[key][kv_at + i];
      weights.push_back(dot);
    }
    const double largest = *std::ranges::max_element(weights);
    double sum = 0;
    for (double& weight : weights) sum += weight = std::exp(weight - largest);
    for (int i = 0; i < head_dim_; ++i) {
      double mix = 0;
      for (int key = first; key <= position; ++key) {
        mix += weights[key - first] / sum * layer.values[key][kv_at + i];
      }
      mixed[at + i] = static_cast<float>(mix);
    }
  }
  return mixed;
}

Row DecoderEmulation::FeedForward(const Layer& layer, const Row& x,
                                  ActivationRounding& rounding) const {
  const ActivationRounding before = rounding;
  Row gate = layer.gate.Multiply(x, rounding);
  rounding = before;
  const Row up = layer.up.Multiply(x, rounding);
  for (size_t i = 0; i < gate.size(); ++i) {
    gate[i] = (gemma_ ? GeluTanh(gate[i]) : Silu(gate[i])) * up[i];
  }
  return layer.down.Multiply(gate, rounding);
}

Row DecoderEmulation::Logits(int32_t token, int position, ActivationRounding& rounding) {
  Row x = embedding_.Lookup(token);
  if (gemma_) {
    for (float& value : x) value *= static_cast<float>(std::sqrt(double(hidden_)));
  }
  for (Layer& layer : layers_) {
    const Row attended = Attention(layer, Normalize(x, layer.input_norm), position, rounding);
    if (gemma_) {
      AddTo(x, Normalize(attended, layer.post_attention_norm));
      const Row fed = FeedForward(layer, Normalize(x, layer.pre_feedforward_norm), rounding);
      AddTo(x, Normalize(fed, layer.post_feedforward_norm));
    } else {
      AddTo(x, attended);
      AddTo(x, FeedForward(layer, Normalize(x, layer.post_attention_norm), rounding));
    }
  }
  return embedding_.Multiply(Normalize(x, final_norm_), rounding);
}

}  // namespace litertlm::testing
