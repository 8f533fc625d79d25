// Chat templates: whatever the text is, it is refused or rendered within the limits, and no byte of
// the output is without an origin.
#include <cstdlib>
#include <string_view>

#include "jinja/template.h"
#include "litertlm/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace litertlm;
  using jinja::Value;
  const auto message = [](std::string_view role) {
    return Value::MakeDict(
        {{Value::String("role"), Value::String(role)},
         {Value::String("content"), Value::String("<end> a b\n", jinja::Origin::kMessage)}});
  };
  const Value context = Value::MakeDict(
      {{Value::String("messages"),
        Value::MakeList({message("system"), message("user"), message("assistant")})},
       {Value::String("bos_token"), Value::String("<bos>")},
       {Value::String("add_generation_prompt"), Value::Bool(true)}});
  try {
    const std::string_view source(reinterpret_cast<const char*>(data), size);
    const jinja::Limits limits = {.steps = 20000, .bytes = 1 << 20, .output = 1 << 16};
    for (const auto& piece : jinja::Template::Parse(source, "fuzz").Render(context, limits, 0)) {
      if (piece.text.empty()) std::abort();
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) std::abort();
  }
  return 0;
}
