#include "convert/graph_emitter.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "convert/op_emitter.h"
#include "convert/weight_operands.h"

namespace litertlm {
namespace {

// Emits one signature. Shapes in comments: T tokens, S cache length, N heads, K key heads,
// H head size, G = N / K, D hidden size.
class SignatureEmitter {
 public:
  SignatureEmitter(const DecoderSpec& spec, const WeightStore& weights, const GraphOptions& options,
                   std::string key, int tokens, TfliteBuilder& model)
      : spec_(spec),
        key_(std::move(key)),
        model_(model),
        ops_(model, model.AddSubgraph(key_)),
        weights_(weights, options.dynamic, ops_),
        t_(tokens),
        s_(options.cache_length),
        n_(static_cast<int32_t>(spec.heads)),
        k_(static_cast<int32_t>(spec.kv_heads)),
        h_(static_cast<int32_t>(spec.head_dim)),
        d_(static_cast<int32_t>(spec.hidden)) {}

  // Prefill ends with the caches: what would only lead to logits is left out.
  void Emit(bool with_logits) {
    AddInputs();
    TensorId x = Embed();
    PrepareShared(with_logits);
    for (size_t i = 0; i < spec_.layers.size(); ++i) {
      ops_.SetScope(fmt::format("layer_{}/", i));
      const LayerSpec& layer = spec_.layers[i];
      const TensorId normed = Norm(x, layer.before_attention, "attention_norm");
      const Caches caches = UpdateCaches(i, normed);
      if (!with_logits && i + 1 == spec_.layers.size()) break;
      x = AddBranch(x, Attend(layer.attention, normed, caches), layer.after_attention, "attention");
      const TensorId mlp = Mlp(layer.mlp, Norm(x, layer.before_mlp, "mlp_norm"));
      x = AddBranch(x, mlp, layer.after_mlp, "mlp");
    }
    if (with_logits) EmitLogits(x);
    model_.AddSignature(key_, ops_.graph(), inputs_, outputs_);
  }

 private:
  using Named = std::vector<std::pair<std::string, TensorId>>;
  struct Caches {
    TensorId keys;    // [1, K, S, H]
    TensorId values;  // [1, K, H, S]
  };
  struct Rotation {
    TensorId cos, sin;  // [1, 1, T, H / 2]
  };

  void AddInputs() {
    tokens_ = AddInput("tokens", DType::kI32, {1, t_});
    positions_ = AddInput("input_pos", DType::kI32, {t_});
    mask_ = AddInput("mask", DType::kF32, {1, 1, t_, s_});
    for (size_t i = 0; i < spec_.layers.size(); ++i) {
      caches_.push_back({AddInput(fmt::format("kv_cache_k_{}", i), DType::kF32, {1, k_, s_, h_}),
                         AddInput(fmt::format("kv_cache_v_{}", i), DType::kF32, {1, k_, h_, s_})});
    }
  }

  TensorId AddInput(const std::string& name, DType dtype, Shape shape) {
    const TensorId tensor =
        ops_.graph().AddTensor(fmt::format("{}_{}", key_, name), dtype, std::move(shape));
    inputs_.emplace_back(name, tensor);
    return tensor;
  }

  TensorId Norm(TensorId x, const NormSpec& norm, const std::string& name) {
    const TensorId mean =
        ops_.MeanOfLastAxis(ops_.Multiply(x, x, name + "_squares"), name + "_mean");
    const TensorId epsilon = ops_.Scalar(static_cast<float>(spec_.norm_epsilon), "norm_epsilon");
    const TensorId factor =
        ops_.Rsqrt(ops_.Add(mean, epsilon, name + "_variance"), name + "_rsqrt");
    const TensorId unit = ops_.Multiply(x, factor, name + "_unit");
    return ops_.Multiply(unit, weights_.Vector(norm.gain), name);
  }

  TensorId AddBranch(TensorId x, TensorId branch, const std::optional<NormSpec>& norm,
                     const std::string& name) {
    if (norm) branch = Norm(branch, *norm, name + "_output_norm");
    return ops_.Add(x, branch, name + "_residual");
  }

  TensorId SoftCap(TensorId x, double cap, const std::string& name) {
    if (cap == 0) return x;
    const TensorId inner = ops_.Multiply(
        x, ops_.Scalar(static_cast<float>(1 / cap), name + "_inverse_cap"), name + "_scaled");
    return ops_.Multiply(ops_.Tanh(inner, name + "_tanh"),
                         ops_.Scalar(static_cast<float>(cap), name + "_cap"), name);
  }

  TensorId Embed() {
    const TensorId ids = ops_.ReshapeInts(tokens_, {t_}, "token_ids");
    const auto [table, dtype] = weights_.Matrix(spec_.embedding);
    const TensorId rows = ops_.EmbeddingLookup(ids, table, dtype, "embedding_rows");
    const TensorId x = ops_.Reshape(rows, {1, t_, d_}, "embedding");
    if (spec_.embedding_scale == 1) return x;
    const TensorId scale =
        ops_.Scalar(static_cast<float>(spec_.embedding_scale), "embedding_scale");
    return ops_.Multiply(x, scale, "embedding_scaled");
  }

  // Makes what several layers use, before any of them, outside of their scopes.
  void PrepareShared(bool with_logits) {
    // Where new entries of the caches begin: input_pos[0] along S, 0 along the other axes.
    const TensorId position = ops_.SliceInts(positions_, {0}, {1}, "position_0");
    const TensorId zero = ops_.Ints(std::vector<int32_t>{0}, {1}, "zero");
    key_start_ = ops_.ConcatenateInts({zero, zero, position, zero}, 0, "key_start");
    value_start_ = ops_.ConcatenateInts({zero, zero, zero, position}, 0, "value_start");
    for (size_t i = 0; i < spec_.layers.size(); ++i) {
      const AttentionSpec& attention = spec_.layers[i].attention;
      RotationFor(attention.rope);
      if (with_logits || i + 1 < spec_.layers.size()) MaskFor(attention.window);
    }
  }

  const Rotation& RotationFor(size_t rope) {
    const auto [it, added] = rotations_.try_emplace(rope);
    if (!added) return it->second;
    const std::vector<float>& frequencies = spec_.ropes[rope].inverse_frequencies;
    const std::string name = fmt::format("rope_{}", rope);
    const TensorId column =
        ops_.Reshape(ops_.IntsToFloats(positions_, name + "_positions"), {t_, 1}, name + "_column");
    const TensorId table = ops_.Floats(frequencies, {1, h_ / 2}, name + "_frequencies");
    const TensorId angles = ops_.Multiply(column, table, name + "_angles");
    const Shape shape = {1, 1, t_, h_ / 2};
    it->second = {ops_.Reshape(ops_.Cos(angles, name + "_cos_rows"), shape, name + "_cos"),
                  ops_.Reshape(ops_.Sin(angles, name + "_sin_rows"), shape, name + "_sin")};
    return it->second;
  }

  // x [1, heads, T, H]: element i turns together with element i + H / 2.
  TensorId Rotate(TensorId x, size_t rope, const std::string& name) {
    const Rotation r = RotationFor(rope);
    const int32_t heads = ops_.ShapeOf(x)[1];
    const Shape half = {1, heads, t_, h_ / 2};
    const TensorId a = ops_.Slice(x, {0, 0, 0, 0}, half, name + "_low");
    const TensorId b = ops_.Slice(x, {0, 0, 0, h_ / 2}, half, name + "_high");
    const TensorId low =
        ops_.Subtract(ops_.Multiply(a, r.cos, name + "_low_cos"),
                      ops_.Multiply(b, r.sin, name + "_high_sin"), name + "_low_rotated");
    const TensorId high =
        ops_.Add(ops_.Multiply(b, r.cos, name + "_high_cos"),
                 ops_.Multiply(a, r.sin, name + "_low_sin"), name + "_high_rotated");
    return ops_.Concatenate({low, high}, 3, name + "_rotated");
  }

  // [1, T, heads * H] -> [1, heads, T, H], normalised and rotated.
  TensorId Heads(TensorId x, int32_t heads, const std::optional<NormSpec>& norm, size_t rope,
                 const std::string& name) {
    x = ops_.Reshape(x, {1, t_, heads, h_}, name + "_heads");
    if (norm) x = Norm(x, *norm, name + "_norm");
    x = ops_.Transpose(x, {0, 2, 1, 3}, name + "_heads_first");
    return Rotate(x, rope, name);
  }

  Caches UpdateCaches(size_t layer, TensorId x) {
    const AttentionSpec& attention = spec_.layers[layer].attention;
    const TensorId keys = Heads(weights_.Linear(x, attention.key, "key"), k_, attention.key_norm,
                                attention.rope, "key");
    const TensorId value_heads =
        ops_.Reshape(weights_.Linear(x, attention.value, "value"), {1, t_, k_, h_}, "value_heads");
    const TensorId values = ops_.Transpose(value_heads, {0, 2, 3, 1}, "value_transposed");
    const Caches updated = {
        ops_.DynamicUpdateSlice(caches_[layer].keys, keys, key_start_, "key_cache"),
        ops_.DynamicUpdateSlice(caches_[layer].values, values, value_start_, "value_cache")};
    outputs_.emplace_back(fmt::format("kv_cache_k_{}", layer), updated.keys);
    outputs_.emplace_back(fmt::format("kv_cache_v_{}", layer), updated.values);
    return updated;
  }

  // The mask for layers that see the last `window` keys only: key > query - window.
  TensorId MaskFor(int64_t window) {
    if (window == 0 || window >= s_) return mask_;  // A whole cache is within the window.
    const auto [it, added] = window_masks_.try_emplace(window);
    if (!added) return it->second;
    const std::string name = fmt::format("window_{}", window);
    std::vector<int32_t> positions(static_cast<size_t>(s_));
    std::iota(positions.begin(), positions.end(), 0);
    const TensorId keys = ops_.Ints(positions, {1, 1, 1, s_}, "key_positions");
    const TensorId queries = ops_.ReshapeInts(positions_, {1, 1, t_, 1}, name + "_query_positions");
    const std::vector<int32_t> width = {static_cast<int32_t>(window)};
    const TensorId oldest =
        ops_.SubtractInts(queries, ops_.Ints(width, {}, name + "_size"), name + "_before");
    const TensorId visible = ops_.GreaterInts(keys, oldest, name + "_visible");
    const TensorId hidden = ops_.Select(visible, ops_.Scalar(0, "mask_visible"),
                                        ops_.Scalar(-1e4f, "mask_hidden"), name + "_offsets");
    it->second = ops_.Add(mask_, hidden, name + "_mask");
    return it->second;
  }

  // Grouped queries: the G heads that share a key head are stacked as rows of one product.
  TensorId Attend(const AttentionSpec& attention, TensorId x, const Caches& caches) {
    const int32_t g = n_ / k_;
    const TensorId heads = Heads(weights_.Linear(x, attention.query, "query"), n_,
                                 attention.query_norm, attention.rope, "query");
    // YaRN's factor belongs to query and key alike; here both come at once, at no cost.
    const double rope_factor = spec_.ropes[attention.rope].attention_factor;
    const TensorId scale = ops_.Scalar(
        static_cast<float>(attention.score_scale * rope_factor * rope_factor), "score_scale");
    const TensorId query = ops_.Reshape(ops_.Multiply(heads, scale, "query_scaled"),
                                        {1, k_, g * t_, h_}, "query_grouped");
    TensorId scores = ops_.BatchMatMulTransposed(query, caches.keys, "scores");
    scores = SoftCap(scores, attention.score_softcap, "scores_capped");
    scores = ops_.Reshape(scores, {k_, g, t_, s_}, "scores_by_head");
    scores = ops_.Add(scores, MaskFor(attention.window), "scores_masked");
    scores = ops_.Reshape(scores, {1, k_, g * t_, s_}, "scores_grouped");
    const TensorId mixed =
        ops_.BatchMatMulTransposed(ops_.Softmax(scores, "probabilities"), caches.values, "mixed");
    const TensorId by_head = ops_.Reshape(mixed, {1, n_, t_, h_}, "mixed_by_head");
    const TensorId by_token = ops_.Transpose(by_head, {0, 2, 1, 3}, "mixed_by_token");
    return weights_.Linear(ops_.Reshape(by_token, {1, t_, n_ * h_}, "mixed_rows"), attention.output,
                           "attention_output");
  }

  TensorId Mlp(const GatedMlpSpec& mlp, TensorId x) {
    const TensorId gate = weights_.Linear(x, mlp.gate, "gate");
    const TensorId up = weights_.Linear(x, mlp.up, "up");
    const TensorId activated =
        spec_.activation == Activation::kGeluTanh
            ? ops_.GeluTanh(gate, "gate_gelu")
            : ops_.Multiply(gate, ops_.Logistic(gate, "gate_sigmoid"), "gate_silu");
    return weights_.Linear(ops_.Multiply(activated, up, "gated"), mlp.down, "down");
  }

  void EmitLogits(TensorId x) {
    ops_.SetScope("");
    const LinearSpec head = {spec_.head, "", spec_.padded_vocabulary, spec_.hidden};
    const TensorId logits = weights_.Linear(Norm(x, spec_.final_norm, "final_norm"), head, "head");
    outputs_.emplace_back("logits", SoftCap(logits, spec_.logit_softcap, "logits"));
  }

  const DecoderSpec& spec_;
  const std::string key_;
  TfliteBuilder& model_;
  OpEmitter ops_;
  WeightOperands weights_;
  const int32_t t_, s_, n_, k_, h_, d_;

  TensorId tokens_ = -1;
  TensorId positions_ = -1;
  TensorId mask_ = -1;
  TensorId key_start_ = -1;
  TensorId value_start_ = -1;
  std::vector<Caches> caches_;
  Named inputs_;
  Named outputs_;

  // Made when first needed.
  std::map<size_t, Rotation> rotations_;
  std::map<int64_t, TensorId> window_masks_;
};

}  // namespace

void EmitGraph(const DecoderSpec& spec, const WeightStore& weights, const GraphOptions& options,
               TfliteBuilder& model) {
  for (const int length : options.prefill_lengths) {
    SignatureEmitter(spec, weights, options, fmt::format("prefill_{}", length), length, model)
        .Emit(/*with_logits=*/false);
  }
  SignatureEmitter(spec, weights, options, "decode", 1, model).Emit(/*with_logits=*/true);
}

}  // namespace litertlm
