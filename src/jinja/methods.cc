#include "jinja/methods.h"

#include <fmt/format.h>

#include <map>

#include "jinja/operators.h"

namespace litertlm::jinja {
namespace {

Value Keys(const Value& self, Call& call) {
  call.Bind({});
  return call.run.NewList(Elements(call.run, self));
}

Value Values(const Value& self, Call& call) {
  call.Bind({});
  std::vector<Value> values;
  for (const auto& [key, value] : self.dict()->entries) values.push_back(value);
  call.run.Step(values.size());
  return call.run.NewList(std::move(values));
}

Value ItemsMethod(const Value& self, Call& call) {
  call.Bind({});
  return Items(call.run, *self.dict());
}

Value Get(const Value& self, Call& call) {
  call.Bind({"key", "default"}, 1);
  for (const auto& [key, value] : self.dict()->entries) {
    if (Equal(call.run, key, call[0])) return value;
  }
  return call.Has(1) ? call[1] : Value::None();
}

Value Copy(const Value& self, Call& call) {
  call.Bind({});
  return self;
}

Value IndexInList(const Value& self, Call& call) {
  call.Bind({"value"}, 1);
  const std::vector<Value>& items = self.list()->items;
  for (size_t i = 0; i < items.size(); ++i) {
    if (Equal(call.run, items[i], call[0])) return Value::Int(static_cast<int64_t>(i));
  }
  call.Fail("does not find the value in the list");
}

Value CountInList(const Value& self, Call& call) {
  call.Bind({"value"}, 1);
  int64_t count = 0;
  for (const Value& item : self.list()->items) count += Equal(call.run, item, call[0]);
  return Value::Int(count);
}

// The methods that would change a value: a clear word is better than "undefined".
Value Refuse(const Value& self, Call& call) {
  call.Fail(fmt::format("would change a {}; only namespaces can be changed", self.type_name()));
}

}  // namespace

Method FindMethod(const Value& self, std::string_view name) {
  static const std::map<std::string_view, Method> kOfDicts = {
      {"copy", Copy},     {"get", Get},     {"items", ItemsMethod}, {"keys", Keys},
      {"values", Values}, {"pop", Refuse},  {"popitem", Refuse},    {"setdefault", Refuse},
      {"update", Refuse}, {"clear", Refuse}};
  static const std::map<std::string_view, Method> kOfLists = {
      {"copy", Copy},     {"count", CountInList}, {"index", IndexInList}, {"append", Refuse},
      {"clear", Refuse},  {"extend", Refuse},     {"insert", Refuse},     {"pop", Refuse},
      {"remove", Refuse}, {"reverse", Refuse},    {"sort", Refuse}};
  if (self.text() != nullptr) return FindTextMethod(name);
  if (self.dict() == nullptr && self.list() == nullptr) return nullptr;
  const auto& methods = self.dict() != nullptr ? kOfDicts : kOfLists;
  const auto found = methods.find(name);
  return found != methods.end() ? found->second : nullptr;
}

}  // namespace litertlm::jinja
