#include "jinja/value.h"

#include <algorithm>

namespace litertlm::jinja {
Value Value::None() { return Value(NoneType()); }
Value Value::Bool(bool value) { return Value(value); }
Value Value::Int(int64_t value) { return Value(value); }
Value Value::Float(double value) { return Value(value); }
Value Value::Of(Namespace* space) { return Value(space); }

Value Value::String(Text text) { return Value(std::make_shared<const Text>(std::move(text))); }
Value Value::String(std::string_view bytes, Origin origin) { return String(Text(bytes, origin)); }

Value Value::MakeList(std::vector<Value> items) { return MakeSequence(std::move(items), false); }
Value Value::MakeTuple(std::vector<Value> items) { return MakeSequence(std::move(items), true); }

Value Value::MakeSequence(std::vector<Value> items, bool tuple) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, item.depth());
  return Value(std::make_shared<const List>(List{std::move(items), tuple, depth + 1}));
}

Value Value::MakeDict(Entries entries) {
  int depth = 0;
  for (const auto& [key, value] : entries) depth = std::max({depth, key.depth(), value.depth()});
  return Value(std::make_shared<const Dict>(Dict{std::move(entries), depth + 1}));
}

Value Value::MakeCallable(std::string name, std::function<Value(Call&)> call, int depth) {
  return Value(std::make_shared<const Callable>(Callable{std::move(name), std::move(call), depth}));
}

Value Value::MakeLoop(std::shared_ptr<const Loop> loop) { return Value(std::move(loop)); }

std::shared_ptr<const List> Value::shared_list() const {
  const auto* shared = std::get_if<std::shared_ptr<const List>>(&data_);
  return shared != nullptr ? *shared : nullptr;
}

Namespace* Value::space() const {
  Namespace* const* space = std::get_if<Namespace*>(&data_);
  return space != nullptr ? *space : nullptr;
}

std::optional<int64_t> Value::whole() const {
  if (const int64_t* value = integer()) return *value;
  if (const bool* value = boolean()) return *value ? 1 : 0;
  return std::nullopt;
}

std::optional<double> Value::number() const {
  if (const double* value = floating()) return *value;
  if (const auto value = whole()) return static_cast<double>(*value);
  return std::nullopt;
}

std::string_view Value::type_name() const {
  if (const List* value = list()) return value->tuple ? "tuple" : "list";
  static constexpr std::string_view kNames[] = {"undefined value", "none",   "boolean",  "integer",
                                                "float",           "string", "list",     "mapping",
                                                "function",        "loop",   "namespace"};
  return kNames[data_.index()];
}

bool Value::truth() const {
  if (is_undefined() || is_none()) return false;
  if (const auto value = number()) return *value != 0;
  if (const Text* value = text()) return !value->empty();
  if (const List* value = list()) return !value->items.empty();
  if (const Dict* value = dict()) return !value->entries.empty();
  return true;
}

int Value::depth() const {
  if (const List* value = list()) return value->depth;
  if (const Dict* value = dict()) return value->depth;
  if (const Callable* value = callable()) return value->depth;
  if (const Loop* value = loop()) return value->depth;
  return 0;
}

const Value* Dict::Find(std::string_view key) const {
  for (const auto& [candidate, value] : entries) {
    if (candidate.text() != nullptr && candidate.text()->bytes() == key) return &value;
  }
  return nullptr;
}

}  // namespace litertlm::jinja
