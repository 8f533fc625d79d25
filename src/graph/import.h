// From a TFLite file to the intermediate representation.
#ifndef LITERTLM_GRAPH_IMPORT_H_
#define LITERTLM_GRAPH_IMPORT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/tflite.h"
#include "graph/ir.h"
#include "graph/passes/passes.h"

namespace litertlm {

/// Names of all signatures, in the file's order.
std::vector<std::string> SignatureKeys(const TfliteModel& model);

/// Names of a signature's inputs, in the file's order. Cheap: the graph is not read.
std::vector<std::string> InputNames(const TfliteModel& model, std::string_view key);

/// The shape of a signature's input, or nothing where the signature has no such input. As cheap.
std::optional<Shape> InputShape(const TfliteModel& model, std::string_view key,
                                std::string_view input);

/// What a graph is given whose file leaves dimensions of its inputs open.
struct OpenShapes {
  /// The length of dimension `axis` of `rank` of an input; 0 if it is not known.
  std::function<int64_t(std::string_view input, int axis, int rank)> length;
  /// Computes the sizes that such files derive from shapes.
  NodeEvaluator evaluate;
};

/// The graph of one signature, checked and typed; only its own subgraph and those of the composites
/// in it are read. Constants are views of the model's bytes. Throws kNotFound if there is no such
/// signature, kBadInput for a graph that contradicts itself, and kUnsupported naming what this
/// program does not have: an operator, dtype, option or tensor, or the length of a dimension.
Graph ImportSignature(const TfliteModel& model, std::string_view key, const OpenShapes& open = {});

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_IMPORT_H_
