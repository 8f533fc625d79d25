#include "graph/ir.h"

#include <algorithm>

namespace litertlm {
namespace {

ValueId Find(const std::vector<Binding>& bindings, std::string_view name) {
  const auto it = std::find_if(bindings.begin(), bindings.end(),
                               [&](const Binding& binding) { return binding.name == name; });
  return it == bindings.end() ? kNoValue : it->value;
}

}  // namespace

ValueId Graph::FindInput(std::string_view input) const { return Find(inputs, input); }
ValueId Graph::FindOutput(std::string_view output) const { return Find(outputs, output); }

}  // namespace litertlm
