// render_templates: templates of this library as a filter, for comparison with others. Each line of
// the input is {"template": "...", "context": {...}}; of the output {"text": "..."} or
// {"error": "..."}. Strings of the context are text of messages; "marked" is what of the output
// came from them.
#include <iostream>
#include <string>

#include "base/json.h"
#include "jinja/template.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

using jinja::Origin;
using jinja::Value;

Value FromJson(const Json& json) {
  if (json.is_string()) return Value::String(json.get<std::string>(), Origin::kMessage);
  if (json.is_boolean()) return Value::Bool(json);
  if (json.is_number_integer()) return Value::Int(json);
  if (json.is_number()) return Value::Float(json);
  if (json.is_array()) {
    std::vector<Value> items;
    for (const Json& item : json) items.push_back(FromJson(item));
    return Value::MakeList(std::move(items));
  }
  if (!json.is_object()) return Value::None();
  Value::Entries entries;
  for (const auto& [key, value] : json.items()) {
    entries.emplace_back(Value::String(key), FromJson(value));
  }
  return Value::MakeDict(std::move(entries));
}

Json Render(const Json& job) {
  try {
    const auto parsed = jinja::Template::Parse(job["template"].get<std::string>(), "template");
    std::string text, marked;
    for (const jinja::Piece& piece : parsed.Render(FromJson(job["context"]))) {
      text += piece.text;
      if (piece.origin == Origin::kMessage) marked += piece.text;
    }
    return {{"text", text}, {"marked", marked}};
  } catch (const Error& error) {
    return {{"error", error.message()}};
  }
}

}  // namespace
}  // namespace litertlm

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << litertlm::DumpJson(litertlm::Render(litertlm::ParseJson(line, "input"))) << '\n';
  }
}
