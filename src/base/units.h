// Sizes and times, written for people.
#ifndef LITERTLM_BASE_UNITS_H_
#define LITERTLM_BASE_UNITS_H_

#include <cstdint>
#include <string>

namespace litertlm {

/// "604.6 MB": powers of ten, as file managers and download pages count.
std::string FormatBytes(uint64_t bytes);
/// "0.8 s", "2 min 5 s".
std::string FormatSeconds(double seconds);

}  // namespace litertlm

#endif  // LITERTLM_BASE_UNITS_H_
