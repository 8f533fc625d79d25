// What the program of a signature consists of.
#ifndef LITERTLM_TESTS_STYLES_OPERATOR_COUNTS_H_
#define LITERTLM_TESTS_STYLES_OPERATOR_COUNTS_H_

#include <map>

#include <string_view>

#include "format/tflite.h"
#include "graph/op.h"
#include "runtime/language_model.h"

namespace litertlm {

/// How often each operator stands in the program. Signature "decode" is compiled as it
/// is, others for any number of rows.
std::map<Op, int> OperatorCounts(const TfliteModel& model, std::string_view key,
                                 const Fusions& fusions);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_OPERATOR_COUNTS_H_
