// The methods of strings, lists and mappings. Those of Python that change a value are left out, as
// Hugging Face's sandbox refuses them, too.
#ifndef LITERTLM_JINJA_METHODS_H_
#define LITERTLM_JINJA_METHODS_H_

#include <string_view>

#include "jinja/call.h"
#include "jinja/value.h"

namespace litertlm::jinja {

using Method = Value (*)(const Value& self, Call& call);

/// Null where a value of this type has no such method.
Method FindMethod(const Value& self, std::string_view name);
/// Of strings.
Method FindTextMethod(std::string_view name);

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_METHODS_H_
