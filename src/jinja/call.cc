#include "jinja/call.h"

#include <fmt/format.h>

#include <algorithm>

namespace litertlm::jinja {

void Call::Bind(std::initializer_list<std::string_view> parameters, size_t required) {
  if (positional.size() > parameters.size()) {
    Fail(fmt::format("takes at most {} arguments, not {}", parameters.size(), positional.size()));
  }
  bound_.assign(parameters.size(), Value());
  std::copy(positional.begin(), positional.end(), bound_.begin());
  for (const auto& [key, value] : named) {
    const auto* parameter = std::find(parameters.begin(), parameters.end(), key);
    const auto place = static_cast<size_t>(parameter - parameters.begin());
    if (parameter == parameters.end()) Fail(fmt::format("has no parameter '{:.40}'", key));
    if (place < positional.size()) Fail(fmt::format("gets '{:.40}' twice", key));
    bound_[place] = value;
  }
  const size_t given = positional.size() + named.size();
  if (given < required) {
    Fail(fmt::format("needs {} argument{}, not {}", required, required == 1 ? "" : "s", given));
  }
}

int64_t Call::Int(size_t parameter, int64_t fallback) const {
  const Value& value = bound_[parameter];
  if (value.is_undefined()) return fallback;
  if (const auto whole = value.whole()) return *whole;
  Fail(fmt::format("needs an integer, not a {}", value.type_name()));
}

bool Call::Flag(size_t parameter, bool fallback) const {
  return Has(parameter) ? bound_[parameter].truth() : fallback;
}

const Text& Call::String(size_t parameter) const {
  if (const Text* text = bound_[parameter].text()) return *text;
  Fail(fmt::format("needs a string, not a {}", bound_[parameter].type_name()));
}

void Call::Fail(std::string_view what) const { run.Fail(fmt::format("'{:.40}' {}", name, what)); }

}  // namespace litertlm::jinja
