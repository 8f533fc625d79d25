#include "tests/styles/styled_embedder.h"

#include <fmt/format.h>

#include <functional>
#include <iterator>
#include <vector>

#include "tests/styles/styled_signature.h"

namespace litertlm {

TensorId Embed(StyleOps& ops, WeightOperands& weights, const DecoderSpec& spec,
               const ExporterStyle& style, TensorId tokens) {
  const int32_t rows = ops.ShapeOf(tokens).back();
  const TensorId ids = ops.ReshapeInts(tokens, {rows}, "ids");
  const auto [table, dtype] = weights.Matrix(spec.embedding);
  // GATHER does not read codes.
  const TensorId looked_up = style.old && dtype == DType::kF32
                                 ? ops.Gather(table, ids, 0, "lookup")
                                 : ops.EmbeddingLookup(ids, table, dtype, "lookup");
  const TensorId x =
      ops.Reshape(looked_up, {1, rows, static_cast<int32_t>(spec.hidden)}, "embeddings");
  if (spec.embedding_scale == 1) return x;
  return ops.Multiply(x, ops.Scalar(static_cast<float>(spec.embedding_scale), "embed_scale"),
                      "embeddings_scaled");
}

namespace {

/// The part of the embeddings that is in all layers' numbers together.
constexpr float kLayersShare = 1;

/// What layer `layer` has of it: large parts that come to kLayersShare together.
float ShareOf(size_t layer) {
  constexpr float kShares[] = {2, -2, kLayersShare};
  return layer < std::size(kShares) ? kShares[layer] : 0;
}

/// A signature from token ids to what `write` makes of their embeddings.
void EmitLookUp(const std::string& key, int tokens, const DecoderSpec& spec,
                const WeightStore& weights, const ExporterStyle& style, const GraphOptions& options,
                TfliteBuilder& model,
                const std::function<TensorId(StyleOps& ops, TensorId embeddings)>& write) {
  Signature s(key, model);
  StyleOps& ops = s.ops();
  WeightOperands operands(weights, options.dynamic, ops);
  const TensorId ids = s.Input("token_ids", DType::kI32, {1, tokens});
  const TensorId lowest = ops.Ints(std::vector<int32_t>{0}, {}, "lowest");
  const TensorId clamped = ops.MaximumInts(ids, lowest, "clamped_ids");
  s.Output("embeddings", write(ops, Embed(ops, operands, spec, style, clamped)));
  s.Finish();
}

}  // namespace

void EmitEmbedder(const DecoderSpec& spec, const WeightStore& weights, const ExporterStyle& style,
                  const GraphOptions& options, TfliteBuilder& model) {
  const auto write = [&](const std::string& key, int tokens) {
    EmitLookUp(key, tokens, spec, weights, style, options, model, [&](StyleOps& ops, TensorId x) {
      if (!style.layer_embedder) return x;
      return ops.Multiply(x, ops.Scalar(1 + kLayersShare, "share"), "embeddings_with_layers");
    });
  };
  if (style.embedder == ExporterStyle::Embedder::kOneToken) return write("embedder", 1);
  for (const int length : options.prefill_lengths) {
    write(fmt::format("prefill_embedder_{}", length), length);
  }
  write("decode_embedder", 1);
}

void EmitLayerEmbedder(const DecoderSpec& spec, size_t layers, const WeightStore& weights,
                       const ExporterStyle& style, const GraphOptions& options,
                       TfliteBuilder& model) {
  std::vector<float> shares;
  for (size_t layer = 0; layer < layers; ++layer) shares.push_back(ShareOf(layer));
  const auto count = static_cast<int32_t>(layers);
  EmitLookUp("per_layer_embedder", 1, spec, weights, style, options, model,
             [&](StyleOps& ops, TensorId x) {
               const TensorId one =
                   ops.Reshape(x, {1, 1, 1, static_cast<int32_t>(spec.hidden)}, "for_one_layer");
               return ops.Multiply(one, ops.Floats(shares, {count, 1}, "shares"), "for_layers");
             });
}

TensorId WithoutLayers(StyleOps& ops, TensorId embeddings, TensorId layers) {
  return ops.Subtract(embeddings, ops.Sum(layers, 2, "layers_together"), "embeddings_alone");
}

}  // namespace litertlm
