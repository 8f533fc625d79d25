// The roles that inputs and outputs of a decoder's signature play.
#ifndef LITERTLM_RUNTIME_DECODER_SIGNATURE_H_
#define LITERTLM_RUNTIME_DECODER_SIGNATURE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "format/tflite.h"
#include "graph/ir.h"
#include "graph/passes/passes.h"
#include "runtime/plan.h"

namespace litertlm {

inline constexpr size_t kNoBinding = ~size_t{0};

/// The signature for one token; those for prompts begin with "prefill".
inline constexpr std::string_view kDecodeKey = "decode";

/// Indices into Graph::inputs and Graph::outputs.
struct DecoderSignature {
  size_t tokens = kNoBinding;            ///< i32 [1, rows].
  size_t embeddings = kNoBinding;        ///< f32 [1, rows, width], in the place of tokens.
  size_t layer_embeddings = kNoBinding;  ///< f32 [1, rows, layers, width]; may be missing.
  size_t positions = kNoBinding;         ///< i32 [rows] or [1, rows].
  size_t mask = kNoBinding;              ///< [1, 1, rows, context]; may be missing.
  size_t parameters = kNoBinding;        ///< i32: where rows begin and end, as GPUs are told.
  size_t logits = kNoBinding;            ///< f32 [1, 1, vocabulary]; prefill has none.
  std::vector<StatePair> states;         ///< The caches, sorted by name.
  int64_t rows = 0;
  int64_t context = 0;  ///< Tokens that the caches hold.
};

/// Finds the roles by the names that the known exporters use. Throws kUnsupported for an input that
/// nobody would fill, a missing role, or a dtype or shape that does not fit the role.
DecoderSignature ReadDecoderSignature(const Graph& graph);

/// The prefill signatures of a model that has kDecodeKey, in the file's order, without those that
/// take further inputs: these are for adapters and images, and the others come without them. Cheap.
std::vector<std::string> PrefillKeys(const TfliteModel& model);

/// How long dimension `axis` of `rank` of an input is where a file leaves it open: as many rows as
/// suit the signature, or `context` positions of a cache; 0 for what no decoder leaves open.
int64_t OpenLength(std::string_view key, int64_t context, std::string_view input, int axis,
                   int rank);

/// How many tokens a signature takes at once, 0 if that is not found. Cheap.
int64_t RowsOf(const TfliteModel& model, std::string_view key);

/// The input dimensions that grow with the number of rows.
std::vector<RowAxis> RowAxesOf(const Graph& graph, const DecoderSignature& signature);

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_DECODER_SIGNATURE_H_
