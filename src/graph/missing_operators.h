// Which operators of a model this program does not have.
#ifndef LITERTLM_GRAPH_MISSING_OPERATORS_H_
#define LITERTLM_GRAPH_MISSING_OPERATORS_H_

#include <map>
#include <string>
#include <string_view>

#include "format/tflite.h"

namespace litertlm {

/// Why a custom operator of this name cannot be executed, as the end of a sentence: most are
/// unknown, and LiteRT's dispatch operators hold a program for one NPU.
std::string CustomOperatorReason(std::string_view name);

/// All operators of a signature that this program does not have, those in the decompositions of its
/// composites included: the reason for each, and how often it stands there. Empty where there is no
/// such signature.
std::map<std::string, int> MissingOperators(const TfliteModel& model, std::string_view key);

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_MISSING_OPERATORS_H_
