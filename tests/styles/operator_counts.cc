#include "tests/styles/operator_counts.h"

#include "graph/import.h"
#include "runtime/decoder_program.h"

namespace litertlm {

std::map<Op, int> OperatorCounts(const TfliteModel& model, std::string_view key,
                                 const Fusions& fusions) {
  Workers workers(1);
  const bool decode = key == "decode";
  const DecoderProgram program(ImportSignature(model, key),
                               {.need_logits = decode, .any_rows = !decode, .fusions = fusions},
                               workers);
  std::map<Op, int> counts;
  for (const Node& node : program.graph().nodes) ++counts[node.op];
  return counts;
}

}  // namespace litertlm
