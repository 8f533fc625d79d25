// Containers: whatever the bytes, every section that is listed can be read.
#include <cstdlib>

#include "format/litertlm.h"
#include "litertlm/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace litertlm;
  try {
    const LitertlmFile file = LitertlmFile::Parse(std::as_bytes(std::span(data, size)), "fuzz");
    for (const Section& section : file.sections()) {
      if (section.bytes.size() != section.end - section.begin) std::abort();
      if (!section.bytes.empty()) {
        [[maybe_unused]] const volatile std::byte last = section.bytes.back();
      }
      file.Find(section.type, section.StringItem(kModelTypeKey));
    }
  } catch (const Error&) {
  }
  return 0;
}
