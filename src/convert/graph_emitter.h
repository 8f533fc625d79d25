// A decoder as a TFLite graph: one subgraph and signature for each prefill length, and one for
// decoding. Layout of the graph: docs/conversion.md.
#ifndef LITERTLM_CONVERT_GRAPH_EMITTER_H_
#define LITERTLM_CONVERT_GRAPH_EMITTER_H_

#include <span>

#include "convert/decoder_spec.h"
#include "convert/weight_store.h"
#include "format/tflite_builder.h"

namespace litertlm {

struct GraphOptions {
  std::span<const int> prefill_lengths;
  int cache_length = 0;
  bool dynamic = true;  ///< Products take quantized weights as they are; else they are widened.
};

/// Adds signatures prefill_<n> and decode. Inputs, with T tokens, cache length S, K key heads of
/// size H and V tokens: tokens i32 [1, T], input_pos i32 [T], mask f32 [1, 1, T, S] (added to the
/// scores), kv_cache_k_<i> f32 [1, K, S, H], kv_cache_v_<i> f32 [1, K, H, S]. Outputs: the caches,
/// with T entries written from input_pos[0] on, and for decode logits f32 [1, 1, V].
/// `weights` has to belong to `model`.
void EmitGraph(const DecoderSpec& spec, const WeightStore& weights, const GraphOptions& options,
               TfliteBuilder& model);

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_GRAPH_EMITTER_H_
