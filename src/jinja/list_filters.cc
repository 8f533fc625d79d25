// Filters that order, shorten or count what has elements.
#include <fmt/format.h>

#include <algorithm>

#include "jinja/filters.h"
#include "jinja/operators.h"
#include "jinja/text_ops.h"

namespace litertlm::jinja {
namespace {

Value Length(const Value& subject, Call& call) {
  call.Bind({});
  if (subject.is_undefined()) return Value::Int(0);
  size_t length = 0;
  if (const List* list = subject.list()) {
    length = list->items.size();
  } else if (const Dict* dict = subject.dict()) {
    length = dict->entries.size();
  } else if (const Text* text = subject.text()) {
    length = CharacterStarts(*text).size() - 1;
  } else {
    call.Fail(fmt::format("cannot be told of a {}", subject.type_name()));
  }
  return Value::Int(static_cast<int64_t>(length));
}

Value First(const Value& subject, Call& call) {
  call.Bind({});
  const std::vector<Value> elements = Elements(call.run, subject);
  return elements.empty() ? Value() : elements.front();
}

Value Last(const Value& subject, Call& call) {
  call.Bind({});
  const std::vector<Value> elements = Elements(call.run, subject);
  return elements.empty() ? Value() : elements.back();
}

Value AsList(const Value& subject, Call& call) {
  call.Bind({});
  return call.run.NewList(Elements(call.run, subject));
}

Value Reverse(const Value& subject, Call& call) {
  call.Bind({});
  std::vector<Value> elements = Elements(call.run, subject);
  std::reverse(elements.begin(), elements.end());
  if (subject.text() == nullptr) return call.run.NewList(std::move(elements));
  Text result;
  for (const Value& character : elements) result.Append(*character.text());
  return call.run.NewString(std::move(result));
}

Value ItemsFilter(const Value& subject, Call& call) {
  call.Bind({});
  if (subject.is_undefined()) return call.run.NewList({});
  if (subject.dict() == nullptr) {
    call.Fail(fmt::format("needs a mapping, not a {}", subject.type_name()));
  }
  return Items(call.run, *subject.dict());
}

struct Keyed {
  Value key, value;
};

std::vector<Value> SortedByKey(Execution& run, std::vector<Keyed> keyed, bool reverse) {
  // Equal elements keep their order, in reverse as well.
  std::stable_sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
    return reverse ? Less(run, b.key, a.key) : Less(run, a.key, b.key);
  });
  std::vector<Value> values;
  for (Keyed& entry : keyed) values.push_back(std::move(entry.value));
  return values;
}

Value Sort(const Value& subject, Call& call) {
  call.Bind({"reverse", "case_sensitive", "attribute"});
  std::vector<Keyed> keyed;
  for (const Value& element : Elements(call.run, subject)) {
    keyed.push_back({SortKey(call.run, element, call[2], call.Flag(1, false)), element});
  }
  return call.run.NewList(SortedByKey(call.run, std::move(keyed), call.Flag(0, false)));
}

Value DictSort(const Value& subject, Call& call) {
  call.Bind({"case_sensitive", "by", "reverse"});
  const bool by_value = call.Has(1) && call.String(1).bytes() == "value";
  Call none(call.run, call.name);
  const Value pairs = ItemsFilter(subject, none);
  std::vector<Keyed> keyed;
  for (const Value& pair : pairs.list()->items) {
    keyed.push_back(
        {SortKey(call.run, pair.list()->items[by_value ? 1 : 0], Value(), call.Flag(0, false)),
         pair});
  }
  return call.run.NewList(SortedByKey(call.run, std::move(keyed), call.Flag(2, false)));
}

Value Unique(const Value& subject, Call& call) {
  call.Bind({"case_sensitive", "attribute"});
  std::vector<Value> keys;
  std::vector<Value> result;
  for (const Value& element : Elements(call.run, subject)) {
    const Value key = SortKey(call.run, element, call[1], call.Flag(0, false));
    const bool known = std::any_of(keys.begin(), keys.end(),
                                   [&](const Value& seen) { return Equal(call.run, seen, key); });
    if (known) continue;
    keys.push_back(key);
    result.push_back(element);
  }
  return call.run.NewList(std::move(result));
}

template <bool kLargest>
Value Extreme(const Value& subject, Call& call) {
  call.Bind({"case_sensitive", "attribute"});
  Keyed best;
  bool first = true;
  for (const Value& element : Elements(call.run, subject)) {
    const Value key = SortKey(call.run, element, call[1], call.Flag(0, false));
    if (first || (kLargest ? Less(call.run, best.key, key) : Less(call.run, key, best.key))) {
      best = {key, element};
    }
    first = false;
  }
  return best.value;
}

Value Sum(const Value& subject, Call& call) {
  call.Bind({"attribute", "start"});
  Value sum = call.Has(1) ? call[1] : Value::Int(0);
  for (const Value& element : Elements(call.run, subject)) {
    sum = Arithmetic(call.run, Op::kAdd, sum, AtPath(call.run, element, call[0]));
  }
  return sum;
}

}  // namespace

const Filters& ListFilters() {
  static const Filters kFilters = {
      {"count", Length},       {"dictsort", DictSort}, {"first", First}, {"items", ItemsFilter},
      {"last", Last},          {"length", Length},     {"list", AsList}, {"max", Extreme<true>},
      {"min", Extreme<false>}, {"reverse", Reverse},   {"sort", Sort},   {"sum", Sum},
      {"unique", Unique},
  };
  return kFilters;
}

}  // namespace litertlm::jinja
