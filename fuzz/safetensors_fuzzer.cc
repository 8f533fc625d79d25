// Checkpoints: the tensors of a file lie inside it, side by side.
#include <cstdlib>

#include "format/safetensors.h"
#include "litertlm/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace litertlm;
  try {
    const Bytes bytes = std::as_bytes(std::span(data, size));
    uint64_t total = 0;
    for (const CheckpointTensor& tensor : ParseSafetensors(bytes, "fuzz")) {
      if (tensor.bytes.size() != BytesFor(tensor.dtype, tensor.elements())) std::abort();
      if (!tensor.bytes.empty()) {
        [[maybe_unused]] const volatile std::byte last = tensor.bytes.back();
      }
      total += tensor.bytes.size();
    }
    if (total > size) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
