#include "hub/environment.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace litertlm {

std::string EnvironmentVariable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool EnvironmentSwitch(const char* name) {
  std::string value = EnvironmentVariable(name);
  std::transform(value.begin(), value.end(), value.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

}  // namespace litertlm
