#include "convert/families/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "convert/families/gemma3.h"
#include "convert/families/qwen3.h"
#include "litertlm/error.h"

namespace litertlm {

std::span<const Family* const> Families() {
  // One line for each family.
  static const Family* const kFamilies[] = {
      &Qwen3Family(),
      &Gemma3Family(),
  };
  return kFamilies;
}

const Family& FindFamily(std::string_view model_type, std::string_view where) {
  std::vector<std::string_view> known;
  for (const Family* family : Families()) {
    for (const std::string_view type : family->model_types) {
      if (type == model_type) return *family;
      known.push_back(type);
    }
  }
  throw Error(ErrorCode::kUnsupported,
              fmt::format("{}: models of type \"{}\" cannot be converted.", where, model_type),
              fmt::format("Supported types: {}.", fmt::join(known, ", ")));
}

}  // namespace litertlm
