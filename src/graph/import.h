// From a TFLite file to the intermediate representation.
#ifndef LITERTLM_GRAPH_IMPORT_H_
#define LITERTLM_GRAPH_IMPORT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/tflite.h"
#include "graph/ir.h"

namespace litertlm {

/// Names of all signatures, in the file's order.
std::vector<std::string> SignatureKeys(const TfliteModel& model);

/// Names of a signature's inputs, in the file's order. Cheap: the graph is not read.
std::vector<std::string> InputNames(const TfliteModel& model, std::string_view key);

/// The shape of a signature's input, or nothing where the signature has no such input. As cheap.
std::optional<Shape> InputShape(const TfliteModel& model, std::string_view key,
                                std::string_view input);

/// The graph of one signature, checked and typed; only its own subgraph and those of the composites
/// in it are read. Constants are views of the model's bytes. Throws kNotFound if there is no such
/// signature, kBadInput for a graph that contradicts itself, and kUnsupported naming what this
/// program does not have: an operator, dtype, option or tensor.
Graph ImportSignature(const TfliteModel& model, std::string_view key);

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_IMPORT_H_
