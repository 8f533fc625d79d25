// The families that can be converted.
#ifndef LITERTLM_CONVERT_FAMILIES_REGISTRY_H_
#define LITERTLM_CONVERT_FAMILIES_REGISTRY_H_

#include <span>
#include <string_view>

#include "convert/families/family.h"

namespace litertlm {

std::span<const Family* const> Families();

/// The family of a config.json's "model_type". Throws kUnsupported naming `where` and the
/// families there are.
const Family& FindFamily(std::string_view model_type, std::string_view where);

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_FAMILIES_REGISTRY_H_
