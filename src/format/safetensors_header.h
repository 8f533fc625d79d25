// The JSON header of a safetensors file, read in one pass: names must be unique, which a parsed
// document could no longer tell, and a hostile header must not cost more memory than its own size.
#ifndef LITERTLM_FORMAT_SAFETENSORS_HEADER_H_
#define LITERTLM_FORMAT_SAFETENSORS_HEADER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace litertlm {

struct SafetensorsEntry {
  std::string name;
  std::string dtype;
  std::vector<uint64_t> shape;
  std::vector<uint64_t> offsets;  ///< Begin and end, from the end of the header.
};

/// The tensors in the header's order; `__metadata__` is left out. Throws kBadInput naming `file`
/// and the tensor. Shapes and offsets are as written: nothing about their sizes is checked.
std::vector<SafetensorsEntry> ParseSafetensorsHeader(std::string_view json,
                                                     const std::string& file);

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_SAFETENSORS_HEADER_H_
