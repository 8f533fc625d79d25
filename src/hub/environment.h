// What the environment says about the hub.
#ifndef LITERTLM_HUB_ENVIRONMENT_H_
#define LITERTLM_HUB_ENVIRONMENT_H_

#include <string>

namespace litertlm {

/// Empty if the variable is not set.
std::string EnvironmentVariable(const char* name);
/// The spellings of "yes" that the hub's own client takes: 1, ON, YES, TRUE, in any case.
bool EnvironmentSwitch(const char* name);

}  // namespace litertlm

#endif  // LITERTLM_HUB_ENVIRONMENT_H_
