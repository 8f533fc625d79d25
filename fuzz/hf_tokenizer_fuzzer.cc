// tokenizer.json files: whatever their pipeline does to a text, the ids are tokens.
#include "fuzz/use_tokenizer.h"
#include "litertlm/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace litertlm;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  try {
    // What stands for unknown characters (unk_token, unk_id) is a control token in many files.
    const bool strict = AsText(bytes).find("unk_") == std::string_view::npos;
    UseTokenizer(*LoadHfTokenizer(bytes, "fuzz"), AsText(bytes), strict);
  } catch (const Error&) {
  }
  return 0;
}
