#include "graph/missing_operators.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "graph/importer.h"
#include "graph/named_operators.h"

namespace litertlm {
namespace {

// "DISPATCH_OP", or with a number behind it.
constexpr std::string_view kDispatchPrefix = "DISPATCH_OP";
constexpr size_t kLongestName = 200;

std::string_view CustomName(const tflite::OperatorCode& code) {
  return code.custom_code() == nullptr ? std::string_view() : code.custom_code()->string_view();
}

/// Empty for an operator that is there.
std::string ReasonAgainst(const tflite::OperatorCode& code) {
  const int32_t builtin = BuiltinCode(code);
  if (builtin == static_cast<int32_t>(tflite::BuiltinOperator::CUSTOM)) {
    const std::string_view name = CustomName(code);
    return FindNamedHandler(name) != nullptr ? std::string() : CustomOperatorReason(name);
  }
  if (FindHandler(builtin) != nullptr) return {};
  return fmt::format("operator {} is not supported", TfliteOperatorName(builtin));
}

}  // namespace

std::string CustomOperatorReason(std::string_view name) {
  const std::string_view shown = name.substr(0, kLongestName);
  if (name.starts_with(kDispatchPrefix)) {
    return fmt::format("operator '{}' is a program for one NPU, which only that NPU executes",
                       shown);
  }
  return fmt::format("custom operator '{}' is not supported", shown);
}

std::map<std::string, int> MissingOperators(const TfliteModel& model, std::string_view key) {
  std::map<std::string, int> missing;
  const auto* signatures = model.model().signature_defs();
  std::vector<uint32_t> waiting;
  for (uint32_t i = 0; signatures != nullptr && i < signatures->size(); ++i) {
    if (signatures->Get(i)->signature_key()->string_view() == key) {
      waiting = {signatures->Get(i)->subgraph_index()};
    }
  }
  // Decompositions are shared and may be cyclic: each is looked at once.
  std::set<uint32_t> seen(waiting.begin(), waiting.end());
  while (!waiting.empty()) {
    const tflite::SubGraph& subgraph = *model.model().subgraphs()->Get(waiting.back());
    waiting.pop_back();
    if (subgraph.operators() == nullptr) continue;
    for (const tflite::Operator* op : *subgraph.operators()) {
      const auto& code = *model.model().operator_codes()->Get(op->opcode_index());
      if (std::string reason = ReasonAgainst(code); !reason.empty()) ++missing[std::move(reason)];
      if (const auto* composite = op->builtin_options_2_as_StableHLOCompositeOptions()) {
        const auto inner = static_cast<uint32_t>(composite->decomposition_subgraph_index());
        if (seen.insert(inner).second) waiting.push_back(inner);
      }
    }
  }
  return missing;
}

}  // namespace litertlm
