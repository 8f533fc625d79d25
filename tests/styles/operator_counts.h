// What the program of a signature consists of.
#ifndef LITERTLM_TESTS_STYLES_OPERATOR_COUNTS_H_
#define LITERTLM_TESTS_STYLES_OPERATOR_COUNTS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "format/tflite.h"
#include "graph/op.h"
#include "runtime/language_model.h"

namespace litertlm {

/// What the program computes in turn: of each operator but reshapes its name, and dtype and
/// shape of what it reads and writes, without dimensions of 1, and whether it is the output head.
/// Tables of rotations are left out.
std::vector<std::string> ProgramSteps(const TfliteModel& model, const TfliteModel* auxiliary,
                                      std::string_view key);

/// How often each operator stands in the program. Signature "decode" is compiled as it
/// is, others for any number of rows.
std::map<Op, int> OperatorCounts(const TfliteModel& model, const TfliteModel* auxiliary,
                                 std::string_view key, const Fusions& fusions);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_OPERATOR_COUNTS_H_
