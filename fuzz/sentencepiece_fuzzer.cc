// SentencePiece models: whatever pieces they have, text becomes ids of them.
#include "fuzz/use_tokenizer.h"
#include "litertlm/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace litertlm;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  try {
    UseTokenizer(*LoadSentencePiece(bytes, "fuzz"), AsText(bytes), true);
  } catch (const Error&) {
  }
  return 0;
}
