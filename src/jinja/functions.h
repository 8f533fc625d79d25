// The functions that every template can call.
#ifndef LITERTLM_JINJA_FUNCTIONS_H_
#define LITERTLM_JINJA_FUNCTIONS_H_

#include <map>
#include <string>

#include "jinja/value.h"

namespace litertlm::jinja {

/// range, dict, namespace, raise_exception, strftime_now.
std::map<std::string, Value, std::less<>> GlobalFunctions();

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_FUNCTIONS_H_
