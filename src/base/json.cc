#include "base/json.h"

#include <fmt/format.h>

#include "litertlm/error.h"

namespace litertlm {

Json ParseJson(std::string_view text, std::string_view where) {
  constexpr int kMaxDepth = 64;
  try {
    return Json::parse(text.begin(), text.end(), [&](int depth, auto, auto&) {
      // Thrown before the parser's own recursion, or a destructor's, can exhaust the stack.
      if (depth > kMaxDepth) {
        throw Error(ErrorCode::kBadInput,
                    fmt::format("{}: JSON is nested deeper than {} levels.", where, kMaxDepth));
      }
      return true;
    });
  } catch (const Json::parse_error& e) {
    throw Error(ErrorCode::kBadInput, fmt::format("{}: not valid JSON at byte {}.", where, e.byte));
  }
}

std::string DumpJson(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace litertlm
