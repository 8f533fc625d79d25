// A decoder as a TFLite graph, drawn as other exporters draw it: the counterpart in tests of
// src/convert/graph_emitter. What is drawn is described in tflite-llm-graphs terms by
// ExporterStyle; numbers are the same in all styles, within rounding.
#ifndef LITERTLM_TESTS_STYLES_STYLED_GRAPH_H_
#define LITERTLM_TESTS_STYLES_STYLED_GRAPH_H_

#include "convert/decoder_spec.h"
#include "convert/graph_emitter.h"
#include "tests/styles/exporter_style.h"
#include "tests/styles/fused_projections.h"

namespace litertlm {

/// Adds signatures prefill_<n> and decode, for any exporter but kOurs. `fused` may be null where
/// the exporter keeps matrices apart.
void EmitStyledGraph(const DecoderSpec& spec, const WeightStore& weights,
                     const FusedProjections* fused, const ExporterStyle& style,
                     const GraphOptions& options, TfliteBuilder& model);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_STYLED_GRAPH_H_
