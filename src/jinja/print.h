// Values as text: as they are printed, as Python shows them within lists, and as JSON.
#ifndef LITERTLM_JINJA_PRINT_H_
#define LITERTLM_JINJA_PRINT_H_

#include <optional>
#include <string>
#include <utility>

#include "jinja/execution.h"
#include "jinja/value.h"

namespace litertlm::jinja {

/// Python's str(): what `{{ value }}` prints.
Text ToText(Execution& run, const Value& value);

struct JsonStyle {
  std::optional<std::string> indent{};  ///< For each level; absent: everything in one line.
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool sort_keys = false;
  bool ascii = false;  ///< Other characters as \uXXXX.
};

/// Python's json.dumps(); throws for values that JSON does not have.
Text ToJson(Execution& run, const Value& value, const JsonStyle& style);

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_PRINT_H_
