// Bundles: whatever the bytes, every entry lies inside the archive and apart from the others, and
// metadata is read or refused.
#include <cstdlib>

#include "format/llm_parameters.h"
#include "format/task_bundle.h"
#include "litertlm/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace litertlm;
  try {
    uint64_t sum = 0;
    for (const Section& section : ReadTaskBundle(std::as_bytes(std::span(data, size)), "fuzz")) {
      if (section.bytes.size() != section.end - section.begin || section.end > size) std::abort();
      sum += section.bytes.size();
      if (!section.bytes.empty()) {
        [[maybe_unused]] const volatile std::byte last = section.bytes.back();
      }
      if (section.type == SectionType::kLlmParameters) {
        SpellsBytesAsUnicode(section.bytes);
        ParseLlmParameters(section.bytes, "fuzz");
      }
    }
    if (sum > size) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
