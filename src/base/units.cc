#include "base/units.h"

#include <fmt/format.h>

namespace litertlm {

std::string FormatBytes(uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} bytes", bytes);
  double value = static_cast<double>(bytes) / 1000;
  for (const char* unit : {"kB", "MB"}) {
    if (value < 999.95) return fmt::format("{:.1f} {}", value, unit);
    value /= 1000;
  }
  return fmt::format("{:.2f} GB", value);
}

std::string FormatSeconds(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(seconds);
  return fmt::format("{} min {} s", whole / 60, whole % 60);
}

}  // namespace litertlm
