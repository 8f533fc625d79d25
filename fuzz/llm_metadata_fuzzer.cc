// LlmMetadata: what was read once is written and read again without a change.
#include <cstdlib>

#include "format/llm_metadata.h"
#include "litertlm/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace litertlm;
  try {
    const Bytes bytes = std::as_bytes(std::span(data, size));
    const std::string once = SerializeLlmMetadata(ParseLlmMetadata(bytes, "fuzz"));
    if (SerializeLlmMetadata(ParseLlmMetadata(AsBytes(once), "again")) != once) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
