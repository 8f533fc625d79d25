#include "tests/styles/styled_embedder.h"

#include <fmt/format.h>

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

void EmitEmbedder(const DecoderSpec& spec, const WeightStore& weights, const ExporterStyle& style,
                  const GraphOptions& options, TfliteBuilder& model) {
  const auto write = [&](const std::string& key, int tokens) {
    Signature s(key, model);
    StyleOps& ops = s.ops();
    WeightOperands operands(weights, options.dynamic, ops);
    const TensorId ids = s.Input("token_ids", DType::kI32, {1, tokens});
    const TensorId lowest = ops.Ints(std::vector<int32_t>{0}, {}, "lowest");
    const TensorId clamped = ops.MaximumInts(ids, lowest, "clamped_ids");
    s.Output("embeddings", Embed(ops, operands, spec, style, clamped));
    s.Finish();
  };
  if (style.embedder == ExporterStyle::Embedder::kOneToken) return write("embedder", 1);
  for (const int length : options.prefill_lengths) {
    write(fmt::format("prefill_embedder_{}", length), length);
  }
  write("decode_embedder", 1);
}

}  // namespace litertlm
