#include "tests/styles/styled_graph.h"

#include <fmt/format.h>

#include <cfloat>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "convert/weight_operands.h"
#include "tests/styles/composite_bodies.h"
#include "tests/styles/styled_auxiliary.h"
#include "tests/styles/styled_embedder.h"
#include "tests/styles/styled_rotation.h"
#include "tests/styles/styled_signature.h"

namespace litertlm {
namespace {

using Exporter = ExporterStyle::Exporter;
using Caches = ExporterStyle::Caches;
using Mask = ExporterStyle::Mask;
// Emits one signature of the decoder. Shapes in comments: T tokens, C positions of the cache,
// N heads, K heads of keys, H size of a head, G = N / K, D hidden size.
class DecoderWriter {
 public:
  DecoderWriter(const DecoderSpec& spec, const WeightStore& weights, const FusedProjections* fused,
                const ExporterStyle& style, const GraphOptions& options, const std::string& key,
                int tokens, TfliteBuilder& model)
      : spec_(spec),
        fused_(fused),
        style_(style),
        s_(key, model),
        ops_(s_.ops()),
        weights_(weights, options.dynamic, ops_),
        t_(tokens),
        c_(options.cache_length),
        n_(static_cast<int32_t>(spec.heads)),
        k_(static_cast<int32_t>(spec.kv_heads)),
        h_(static_cast<int32_t>(spec.head_dim)) {}

  /// An adapter is an input of which nothing is made here.
  void Write(bool with_logits, bool with_adapter) {
    if (with_adapter) {
      s_.Input("query_w_prime_left_0", DType::kF32, {4, static_cast<int32_t>(spec_.hidden)});
    }
    TensorId x = AddInputs();
    rotation_.emplace(spec_, style_, ops_, positions_);
    if (style_.split_cache) {
      AddAngles();
    } else {
      WriteStarts();
    }
    for (size_t i = 0; i < spec_.layers.size(); ++i) {
      ops_.SetScope(fmt::format("layer_{}/", i));
      const LayerSpec& layer = spec_.layers[i];
      const Projections p = Project(i, Norm(x, layer.before_attention));
      UpdateCaches(i, p);
      // Nothing reads what would only lead to logits.
      if (!with_logits && i + 1 == spec_.layers.size()) break;
      x = AddBranch(x, Attend(i, p.query), layer.after_attention);
      x = AddBranch(x, Mlp(layer.mlp, Norm(x, layer.before_mlp)), layer.after_mlp);
    }
    ops_.SetScope("");
    if (with_logits) {
      const LinearSpec head = {spec_.head, "", spec_.padded_vocabulary, spec_.hidden};
      s_.Output("logits", weights_.Linear(Norm(x, spec_.final_norm), head, "logits"));
    }
    s_.Finish();
  }

 private:
  struct Projections {
    TensorId query, key, value;  // [1, T, N or K, H]
  };
  struct CachePair {
    TensorId keys, values;
  };

  bool classic() const { return style_.exporter == Exporter::kClassic; }
  bool rows_first() const { return style_.caches == Caches::kRowsFirst; }

  /// Returns the embeddings [1, T, D].
  TensorId AddInputs() {
    const bool other = style_.other_names;
    const bool embedded = style_.embedder != ExporterStyle::Embedder::kInside;
    const TensorId tokens =
        embedded ? s_.Input("embeddings", DType::kF32, {1, t_, static_cast<int32_t>(spec_.hidden)})
                 : s_.Input(other ? "token_ids" : "tokens", DType::kI32, {1, t_});
    if (!style_.split_cache) {
      positions_ = other ? s_.Input("positions", DType::kI32, {1, t_})
                         : s_.Input("input_pos", DType::kI32, {t_});
    }
    const TensorId layers =
        style_.layer_embedder ? s_.Input("per_layer_embeddings", DType::kF32, LayersShape()) : -1;
    if (other) positions_ = ops_.ReshapeInts(positions_, {t_}, "positions_vector");
    AddMask();
    if (style_.bare_names && !rows_first()) {
      parameters_ = s_.Input("param_tensor", DType::kI32, {1, 1, 1, 7});
    }
    for (size_t i = 0; i < spec_.layers.size(); ++i) {
      caches_.push_back({s_.Input(CacheName('k', i), DType::kF32, KeyShape()),
                         s_.Input(CacheName('v', i), DType::kF32, ValueShape())});
    }
    if (style_.layer_embedder) return WithoutLayers(ops_, tokens, layers);
    return embedded ? tokens : Embed(ops_, weights_, spec_, style_, tokens);
  }

  Shape LayersShape() const {
    return {1, t_, static_cast<int32_t>(spec_.layers.size()), static_cast<int32_t>(spec_.hidden)};
  }

  // Of split caches: angles come from outside.
  void AddAngles() {
    for (size_t rope = 0; rope < spec_.ropes.size(); ++rope) {
      const auto h = 2 * static_cast<int32_t>(spec_.ropes[rope].inverse_frequencies.size());
      const auto add = [&](const char* function) {
        const std::string name = AnglesName(spec_, rope, function);
        return ops_.Reshape(s_.Input(name, DType::kF32, {1, t_, 1, h}), {1, 1, t_, h}, name);
      };
      const TensorId cos = add("cos");
      rotation_->SetTables(rope, {cos, add("sin")});
    }
  }

  void AddMask() {
    if (style_.split_cache) {
      mask_ = s_.Input("mask_global", DType::kF32, {1, 1, t_, c_ + t_});
      const int64_t window = LocalWindow(spec_);
      if (window > 0) masks_[window] = s_.Input("mask_local", DType::kF32, {1, 1, t_, c_ + t_});
      return;
    }
    if (style_.mask == Mask::kTable) return;
    const DType dtype = style_.mask == Mask::kHalves  ? DType::kF16
                        : style_.mask == Mask::kBools ? DType::kBool
                                                      : DType::kF32;
    mask_ = s_.Input(style_.other_names ? "attn_mask" : "mask", dtype, {1, 1, t_, c_});
    if (style_.mask == Mask::kHalves) mask_ = ops_.HalvesToFloats(mask_, "mask_f32");
    if (style_.mask == Mask::kBools) {
      mask_ =
          ops_.Select(mask_, ops_.Scalar(0, "shown"), ops_.Scalar(-FLT_MAX, "hidden"), "mask_f32");
    }
  }

  std::string CacheName(char what, size_t layer) const {
    return style_.other_names ? fmt::format("{}_cache_{}", what, layer)
                              : fmt::format("kv_cache_{}_{}", what, layer);
  }
  Shape KeyShape() const {
    if (rows_first()) return {1, c_, k_, h_};
    return style_.caches == Caches::kSwapped ? Shape{1, k_, h_, c_} : Shape{1, k_, c_, h_};
  }
  Shape ValueShape() const {
    if (rows_first()) return {1, c_, k_, h_};
    return style_.caches == Caches::kTransposed ? Shape{1, k_, h_, c_} : Shape{1, k_, c_, h_};
  }

  TensorId Norm(TensorId x, const NormSpec& norm) {
    const auto body = [&](StyleOps& ops, const std::vector<TensorId>& inputs) {
      return WriteNorm(ops, inputs[0], inputs[1], spec_.norm_epsilon, style_.old);
    };
    const std::vector<TensorId> inputs = {x, weights_.Vector(norm.gain)};
    if (!style_.norm_composites) return body(ops_, inputs);
    return ops_.Composite("odml.rms_norm", {{"epsilon", static_cast<float>(spec_.norm_epsilon)}},
                          inputs, body, "norm");
  }

  TensorId AddBranch(TensorId x, TensorId branch, const std::optional<NormSpec>& norm) {
    return ops_.Add(x, norm ? Norm(branch, *norm) : branch, "residual");
  }

  TensorId Mlp(const GatedMlpSpec& mlp, TensorId x) {
    const TensorId gate = weights_.Linear(x, mlp.gate, "gate");
    const TensorId activated = spec_.activation == Activation::kGeluTanh
                                   ? ops_.GeluTanh(gate, "gelu")
                                   : ops_.Multiply(gate, ops_.Logistic(gate, "sigmoid"), "silu");
    const TensorId up = weights_.Linear(x, mlp.up, "up");
    return weights_.Linear(ops_.Multiply(activated, up, "gated"), mlp.down, "down");
  }

  // --- Queries, keys and values ------------------------------------------------------------------

  Projections Project(size_t layer, TensorId x) {
    const AttentionSpec& attention = spec_.layers[layer].attention;
    Projections p = classic() ? ProjectAtOnce(layer, x) : ProjectApart(attention, x);
    if (attention.query_norm) p.query = Norm(p.query, *attention.query_norm);
    if (attention.key_norm) p.key = Norm(p.key, *attention.key_norm);
    return p;
  }

  Projections ProjectApart(const AttentionSpec& attention, TensorId x) {
    const auto project = [&](const LinearSpec& linear, int32_t heads, const std::string& name) {
      return ops_.Reshape(weights_.Linear(x, linear, name), {1, t_, heads, h_}, name + "_heads");
    };
    return {project(attention.query, n_, "query"), project(attention.key, k_, "key"),
            project(attention.value, k_, "value")};
  }

  Projections ProjectAtOnce(size_t layer, TensorId x) {
    const FusedProjections::Projection& fused = fused_->OfLayer(layer);
    const auto [matrix, dtype] = weights_.Matrix(fmt::format("qkv_{}", layer), fused.matrix);
    const int32_t heads = n_ + 2 * k_;
    const TensorId bias = fused.bias == 0
                              ? -1
                              : ops_.graph().AddConstant(fmt::format("qkv_bias_{}", layer),
                                                         DType::kF32, {heads * h_}, fused.bias);
    const TensorId qkv = ops_.Reshape(ops_.FullyConnected(x, matrix, dtype, bias, "qkv"),
                                      {1, t_, heads, h_}, "qkv_heads");
    const auto part = [&](int32_t begin, int32_t size, const char* name) {
      return ops_.Slice(qkv, {0, 0, begin, 0}, {1, t_, size, h_}, name);
    };
    return {part(0, n_, "query"), part(n_, k_, "key"), part(n_ + k_, k_, "value")};
  }

  // [1, T, heads, H] -> [1, heads, T, H], rotated.
  TensorId RotatedHeads(TensorId x, size_t rope, const std::string& name) {
    return rotation_->Rotate(ops_.Transpose(x, {0, 2, 1, 3}, name + "_heads_first"), rope, name);
  }

  // --- Caches ---

  // Where new entries begin: input_pos[0] along one axis.
  void WriteStarts() {
    const TensorId first = ops_.SliceInts(positions_, {0}, {1}, "first_position");
    if (classic()) {
      const TensorId zero = ops_.Floats(std::vector<float>{0}, {1}, "zero");
      const TensorId position = ops_.IntsToFloats(first, "first_position_f32");
      for (int32_t axis = 1; axis < 4; ++axis) {
        std::vector<TensorId> parts(4, zero);
        parts[static_cast<size_t>(axis)] = position;
        const TensorId start = ops_.FloatsToInts(ops_.Concatenate(parts, 0, "start_f32"), "start");
        starts_.push_back(ops_.PackInts(ops_.UnpackInts(start, "start_part"), "start_again"));
      }
      return;
    }
    const TensorId zero = ops_.Ints(std::vector<int32_t>{0}, {}, "zero");
    const TensorId position = ops_.ReshapeInts(first, {}, "first_position_scalar");
    for (int32_t axis = 1; axis < 4; ++axis) {
      std::vector<TensorId> parts(4, zero);
      parts[static_cast<size_t>(axis)] = position;
      starts_.push_back(ops_.PackInts(parts, "start"));
    }
  }

  TensorId Update(TensorId cache, TensorId rows, int32_t axis, const char* name) {
    return ops_.DynamicUpdateSlice(cache, rows, starts_[static_cast<size_t>(axis - 1)], name);
  }

  void UpdateCaches(size_t layer, const Projections& p) {
    CachePair& cache = caches_[layer];
    const TensorId keys = RotatedHeads(p.key, spec_.layers[layer].attention.rope, "key");
    if (style_.split_cache) {
      const TensorId values = ops_.Transpose(p.value, {0, 2, 3, 1}, "value_columns");
      s_.Output(fmt::format("kv_slice_k_{}", layer), keys);
      s_.Output(fmt::format("kv_slice_v_{}", layer), values);
      new_rows_.push_back({keys, values});
      return;
    }
    if (style_.bare_names) {
      cache = rows_first() ? UpdateAtPositions(cache, keys, p.value)
                           : UpdateWithParameters(cache, keys, p.value);
    } else {
      cache = {UpdateKeys(cache.keys, keys), UpdateValues(cache.values, p.value)};
    }
    s_.Output(CacheName('k', layer), cache.keys);
    s_.Output(CacheName('v', layer), cache.values);
  }

  // Keys are [1, K, T, H], values [1, T, K, H].
  CachePair UpdateAtPositions(const CachePair& cache, TensorId keys, TensorId values) {
    const std::vector<TensorId> updated =
        ops_.Named("odml.update_external_kv_cache", /*custom=*/true, {},
                   {cache.keys, cache.values, positions_,
                    ops_.Transpose(keys, {0, 2, 1, 3}, "key_rows_first"), values},
                   {KeyShape(), ValueShape()}, "cache");
    return {updated[0], updated[1]};
  }

  CachePair UpdateWithParameters(const CachePair& cache, TensorId keys, TensorId values) {
    const std::vector<TensorId> updated =
        ops_.Named("odml.cache_update", /*custom=*/false, {{"cache_size", c_}, {"head_size", h_}},
                   {keys, ops_.Transpose(values, {0, 2, 1, 3}, "value_heads_first"), parameters_,
                    cache.keys, cache.values, starts_[1], starts_[2]},
                   {KeyShape(), ValueShape()}, "cache");
    return {updated[0], updated[1]};
  }

  // Keys are [1, K, T, H].
  TensorId UpdateKeys(TensorId cache, TensorId keys) {
    if (rows_first()) {
      return Update(cache, ops_.Transpose(keys, {0, 2, 1, 3}, "key_rows_first"), 1, "key_cache");
    }
    if (style_.caches == Caches::kSwapped) {
      return Update(cache, ops_.Transpose(keys, {0, 1, 3, 2}, "key_columns"), 3, "key_cache");
    }
    return Update(cache, keys, 2, "key_cache");
  }

  // Values are [1, T, K, H].
  TensorId UpdateValues(TensorId cache, TensorId values) {
    if (rows_first()) return Update(cache, values, 1, "value_cache");
    if (style_.caches == Caches::kTransposed && classic()) {
      return Update(cache, ops_.Transpose(values, {0, 2, 3, 1}, "value_columns"), 3, "value_cache");
    }
    const TensorId heads = ops_.Transpose(values, {0, 2, 1, 3}, "value_heads_first");
    if (style_.caches != Caches::kTransposed) return Update(cache, heads, 2, "value_cache");
    return Update(cache, ops_.Transpose(heads, {0, 1, 3, 2}, "value_columns"), 3, "value_cache");
  }

  // --- Attention ---

  // What is added to scores: 0 for keys in (query - window, query], else hidden.
  TensorId MaskFor(int64_t window) {
    if (window >= c_) window = 0;
    const auto [it, added] = masks_.try_emplace(window);
    if (!added) return it->second;
    if (style_.mask == Mask::kTable) {
      it->second = MaskFromTable(window);
    } else if (window == 0) {
      it->second = mask_;
    } else if (classic()) {
      it->second = ops_.Minimum(mask_, Window(window, -FLT_MAX), "mask_local");
    } else {
      it->second = ops_.Add(Window(window, -1e4f), mask_, "mask_local");
    }
    return it->second;
  }

  // 0 for keys less than `window` positions away, on both sides, else `hidden`.
  TensorId Window(int64_t window, float hidden) {
    std::vector<int32_t> numbers(static_cast<size_t>(c_));
    std::iota(numbers.begin(), numbers.end(), 0);
    const TensorId keys = ops_.Ints(numbers, {1, 1, 1, c_}, "key_positions");
    const TensorId queries = ops_.ReshapeInts(positions_, {1, 1, t_, 1}, "query_positions");
    const auto size = static_cast<int32_t>(window);
    const TensorId width = ops_.Ints({&size, 1}, {}, "window");
    const TensorId after =
        ops_.GreaterInts(keys, ops_.SubtractInts(queries, width, "window_begin"), "after_begin");
    const TensorId before =
        ops_.LessInts(keys, ops_.AddInts(queries, width, "window_end"), "before_end");
    return ops_.Select(ops_.And(after, before, "in_window"), ops_.Scalar(0, "shown"),
                       ops_.Scalar(hidden, "hidden"), "window_mask");
  }

  TensorId MaskFromTable(int64_t window) {
    std::vector<float> table(static_cast<size_t>(c_) * static_cast<size_t>(c_));
    for (int64_t query = 0; query < c_; ++query) {
      for (int64_t key = 0; key < c_; ++key) {
        const bool shown = key <= query && (window == 0 || key > query - window);
        table[static_cast<size_t>(query * c_ + key)] = shown ? 0 : -FLT_MAX;
      }
    }
    const TensorId rows =
        ops_.Gather(ops_.Floats(table, {1, 1, c_, c_}, "mask_table"), positions_, 2, "mask_rows");
    return ops_.Slice(rows, {0, 0, 0, 0}, {1, 1, t_, c_}, "mask");
  }

  TensorId Attend(size_t layer, TensorId heads) {
    const AttentionSpec& attention = spec_.layers[layer].attention;
    const TensorId query = RotatedHeads(heads, attention.rope, "query");
    const TensorId mixed = rows_first()           ? AttendToRows(layer, query)
                           : style_.picked_scores ? AttendToPicked(layer, query)
                                                  : AttendToHeads(layer, query);
    return weights_.Linear(ops_.Reshape(mixed, {1, t_, n_ * h_}, "mixed_rows"), attention.output,
                           "attention_output");
  }

  // Query heads that share a key head are stacked as rows of one product. To [1, T, N, H].
  TensorId AttendToHeads(size_t layer, TensorId query) {
    const AttentionSpec& attention = spec_.layers[layer].attention;
    const int32_t g = n_ / k_;
    const TensorId scale = ops_.Scalar(static_cast<float>(attention.score_scale), "scale");
    const TensorId stacked = ops_.Multiply(
        ops_.Reshape(query, {1, k_, g * t_, h_}, "query_stacked"), scale, "query_scaled");
    const TensorId stacked_scores = Score(layer, stacked);
    const int32_t keys = ops_.ShapeOf(stacked_scores).back();
    TensorId scores = ops_.Reshape(stacked_scores, {k_, g, t_, keys}, "scores_by_head");
    scores = ops_.Add(scores, MaskFor(attention.window), "scores_masked");
    scores = ops_.Softmax(ops_.Reshape(scores, {1, k_, g * t_, keys}, "scores_stacked"), "softmax");
    return ops_.Transpose(ops_.Reshape(Mix(layer, scores), {1, n_, t_, h_}, "mixed_by_head"),
                          {0, 2, 1, 3}, "mixed_by_row");
  }

  // Queries [1, K, G * T, H] with keys: the cache's, and where it is split the new ones behind.
  TensorId Score(size_t layer, TensorId query) {
    const TensorId keys = caches_[layer].keys;
    if (style_.bare_names) return BoundedProduct(query, keys, "scores");
    if (style_.caches == Caches::kSwapped) return ops_.BatchMatMul(query, keys, "scores");
    const TensorId scores = ops_.BatchMatMulTransposed(query, keys, "scores");
    if (!style_.split_cache) return scores;
    return ops_.Concatenate(
        {scores, ops_.BatchMatMulTransposed(query, new_rows_[layer].keys, "new_scores")}, 3,
        "all_scores");
  }

  // The same for weights [1, K, G * T, keys] and values.
  TensorId Mix(size_t layer, TensorId weights) {
    const TensorId values = caches_[layer].values;
    if (style_.bare_names) return BoundedProduct(weights, values, "mixed");
    if (style_.caches != Caches::kTransposed) return ops_.BatchMatMul(weights, values, "mixed");
    if (!style_.split_cache) return ops_.BatchMatMulTransposed(weights, values, "mixed");
    const auto columns = [&](int32_t begin, int32_t size, const char* name) {
      Shape shape = ops_.ShapeOf(weights);
      shape.back() = size;
      return ops_.Slice(weights, {0, 0, 0, begin}, shape, name);
    };
    return ops_.Add(ops_.BatchMatMulTransposed(columns(0, c_, "old_weights"), values, "old_mixed"),
                    ops_.BatchMatMulTransposed(columns(c_, t_, "new_weights"),
                                               new_rows_[layer].values, "new_mixed"),
                    "mixed");
  }

  TensorId BoundedProduct(TensorId a, TensorId b, const char* name) {
    Shape shape = ops_.ShapeOf(a);
    shape.back() = ops_.ShapeOf(b)[2];
    return ops_
        .Named("odml.runtime_bmm", /*custom=*/false, {{"is_global", 1}}, {a, b, parameters_},
               {shape}, name)
        .front();
  }

  TensorId AttendToRows(size_t layer, TensorId query) {
    const AttentionSpec& attention = spec_.layers[layer].attention;
    const std::vector<TensorId> inputs = {ops_.Transpose(query, {0, 2, 1, 3}, "query_rows_first"),
                                          caches_[layer].keys, caches_[layer].values,
                                          MaskFor(attention.window)};
    const auto body = [&](StyleOps& ops, const std::vector<TensorId>& arguments) {
      return WriteAttention(ops, arguments, attention.score_scale);
    };
    if (!style_.attention_composite) return body(ops_, inputs);
    if (style_.bare_names) {
      return ops_
          .Named("odml.scaled_dot_product_attention", /*custom=*/true,
                 {{"scale", attention.score_scale}}, inputs, {{1, t_, n_, h_}}, "mixed")
          .front();
    }
    return ops_.Composite("odml.scaled_dot_product_attention", {{"scale", attention.score_scale}},
                          inputs, body, "mixed");
  }

  TensorId AttendToPicked(size_t layer, TensorId query) {
    const AttentionSpec& attention = spec_.layers[layer].attention;
    const TensorId scale = ops_.Scalar(static_cast<float>(attention.score_scale), "scale");
    const TensorId picks =
        ops_.Equal(MaskFor(attention.window), ops_.Scalar(0, "shown"), "mask_picks");
    const std::vector<TensorId> inputs = {ops_.Multiply(query, scale, "query_scaled"),
                                          caches_[layer].keys, caches_[layer].values, picks};
    const TensorId mixed =
        style_.attention_composite
            ? ops_.Composite("odml.sdpa_transposed", {{"k_ts_idx", 2}, {"v_ts_idx", 3}}, inputs,
                             WriteTransposedAttention, "mixed",
                             {DType::kF32, DType::kF32, DType::kF32, DType::kBool})
            : WriteTransposedAttention(ops_, inputs);
    return ops_.Transpose(mixed, {0, 2, 1, 3}, "mixed_by_row");
  }

  const DecoderSpec& spec_;
  const FusedProjections* fused_;
  const ExporterStyle& style_;
  Signature s_;
  StyleOps& ops_;
  WeightOperands weights_;
  const int32_t t_, c_, n_, k_, h_;

  TensorId positions_ = -1;
  TensorId mask_ = -1;
  TensorId parameters_ = -1;
  std::vector<TensorId> starts_;     ///< For axes 1, 2 and 3.
  std::vector<CachePair> caches_;    ///< Updated once the layer's update was written.
  std::vector<CachePair> new_rows_;  ///< Of split caches.
  std::optional<StyledRotation> rotation_;
  std::map<int64_t, TensorId> masks_;  ///< By window; 0 for none.
};

}  // namespace

void EmitStyledGraph(const DecoderSpec& spec, const WeightStore& weights,
                     const FusedProjections* fused, const ExporterStyle& style,
                     const GraphOptions& options, TfliteBuilder& model) {
  const auto write = [&](const std::string& key, int tokens, bool with_logits,
                         bool with_adapter = false) {
    DecoderWriter(spec, weights, fused, style, options, key, tokens, model)
        .Write(with_logits, with_adapter);
  };
  for (const int length : options.prefill_lengths) {
    write(fmt::format("prefill_{}", length), length, false);
  }
  write("decode", 1, true);
  if (!style.adapters) return;
  write("decode_lora_r4", 1, true, /*with_adapter=*/true);
  const int longest = 2 * options.prefill_lengths.back();
  write(fmt::format("prefill_{}_lora_r4", longest), longest, false, /*with_adapter=*/true);
}

}  // namespace litertlm
