// Tests: `value is name(arguments)`.
#ifndef LITERTLM_JINJA_TESTS_H_
#define LITERTLM_JINJA_TESTS_H_

#include "jinja/call.h"
#include "jinja/value.h"

namespace litertlm::jinja {

/// Throws if there is no test of the call's name.
bool RunTest(const Value& subject, Call& call);

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_TESTS_H_
