// JSON: nlohmann's type, parsed with limits and our errors. Include it in .cc files only: it is
// slow to compile.
#ifndef LITERTLM_BASE_JSON_H_
#define LITERTLM_BASE_JSON_H_

#include <nlohmann/json.hpp>
#include <string_view>

namespace litertlm {

/// Keeps the order of keys, so that what we print is stable.
using Json = nlohmann::ordered_json;

/// Throws kBadInput naming `where` and the offset for a syntax error or nesting deeper than 64.
Json ParseJson(std::string_view text, std::string_view where);

/// One line, or indented if `indent` > 0. Text that is not UTF-8 is written with U+FFFD.
std::string DumpJson(const Json& json, int indent = -1);

}  // namespace litertlm

#endif  // LITERTLM_BASE_JSON_H_
