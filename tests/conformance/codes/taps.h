// Taps: the floats that enter the products whose activations are coded, made visible as outputs.
#ifndef LITERTLM_TESTS_CONFORMANCE_CODES_TAPS_H_
#define LITERTLM_TESTS_CONFORMANCE_CODES_TAPS_H_

#include <string>
#include <string_view>
#include <vector>

#include "format/tflite.h"
#include "format/tflite_builder.h"
#include "graph/ir.h"

namespace litertlm {

struct Tap {
  std::string output;  ///< "tap_<number> <weights>": names sort as the products stand in the graph.
  std::string weights;  ///< Name of the matrix; of the first one where several have this input.
  TensorId tensor;      ///< In the subgraph of the signature.
};

/// The inputs of every FULLY_CONNECTED of the signature that multiplies coded weights with coded
/// activations, in the graph's order, each tensor once.
std::vector<Tap> TapsOf(const TfliteModel& model, std::string_view key);

/// The bytes of `model` with all taps as further outputs of its signatures.
std::string WithTaps(const TfliteModel& model);

/// Adds the inputs of the products with the taps' weights to the outputs of a graph that was made
/// from the signature. Throws kInternal for weights that no product of the graph has.
void AddTaps(const std::vector<Tap>& taps, Graph& graph);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_CONFORMANCE_CODES_TAPS_H_
