// Looking embeddings up, inside a decoder or in a model of its own.
#ifndef LITERTLM_TESTS_STYLES_STYLED_EMBEDDER_H_
#define LITERTLM_TESTS_STYLES_STYLED_EMBEDDER_H_

#include "convert/decoder_spec.h"
#include "convert/graph_emitter.h"
#include "convert/weight_operands.h"
#include "tests/styles/exporter_style.h"
#include "tests/styles/style_ops.h"

namespace litertlm {

/// The embeddings [1, T, D] of `tokens` [1, T].
TensorId Embed(StyleOps& ops, WeightOperands& weights, const DecoderSpec& spec,
               const ExporterStyle& style, TensorId tokens);

/// Adds the signatures that look embeddings up, to a model of its own.
void EmitEmbedder(const DecoderSpec& spec, const WeightStore& weights, const ExporterStyle& style,
                  const GraphOptions& options, TfliteBuilder& model);

/// The same for the numbers [1, 1, layers, D] that each layer has of a token.
void EmitLayerEmbedder(const DecoderSpec& spec, size_t layers, const WeightStore& weights,
                       const ExporterStyle& style, const GraphOptions& options,
                       TfliteBuilder& model);

/// What the two make of tokens, [1, T, D] and [1, T, layers, D], as embeddings.
TensorId WithoutLayers(StyleOps& ops, TensorId embeddings, TensorId layers);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_STYLED_EMBEDDER_H_
