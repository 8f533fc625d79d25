// Filters that choose elements by a test, or take a value of each.
#include <fmt/format.h>

#include "jinja/filters.h"
#include "jinja/operators.h"
#include "jinja/tests.h"

namespace litertlm::jinja {
namespace {

// The filter or test named by the argument at `place`, with the arguments behind it.
Call Inner(const Call& call, size_t place) {
  const Value& name = call.positional[place];
  if (name.text() == nullptr) call.Fail("needs a name as a string");
  const auto rest = call.positional.begin() + static_cast<ptrdiff_t>(place) + 1;
  return Call(call.run, name.text()->bytes(), {rest, call.positional.end()}, call.named);
}

Value Map(const Value& subject, Call& call) {
  std::vector<Value> result;
  const std::vector<Value> elements = Elements(call.run, subject);
  if (call.positional.empty()) {
    call.Bind({"attribute", "default"}, 1);
    for (const Value& element : elements) {
      const Value value = AtPath(call.run, element, call[0]);
      result.push_back(value.is_undefined() ? call[1] : value);
    }
  } else {
    const Call inner = Inner(call, 0);
    for (const Value& element : elements) {
      Call once = inner;
      result.push_back(ApplyFilter(element, once));
    }
  }
  return call.run.NewList(std::move(result));
}

// `attribute`: the first argument names what of each element is tested.
template <bool kKeeps, bool kAttribute>
Value Choose(const Value& subject, Call& call) {
  const size_t test = kAttribute ? 1 : 0;
  if (call.positional.size() < test) call.Fail("needs the name of an attribute");
  std::vector<Value> result;
  for (const Value& element : Elements(call.run, subject)) {
    const Value tested = kAttribute ? AtPath(call.run, element, call.positional[0]) : element;
    bool passes = tested.truth();
    if (call.positional.size() > test) {
      Call once = Inner(call, test);
      passes = RunTest(tested, once);
    }
    if (passes == kKeeps) result.push_back(element);
  }
  return call.run.NewList(std::move(result));
}

}  // namespace

const Filters& SelectionFilters() {
  static const Filters kFilters = {
      {"map", Map},
      {"reject", Choose<false, false>},
      {"rejectattr", Choose<false, true>},
      {"select", Choose<true, false>},
      {"selectattr", Choose<true, true>},
  };
  return kFilters;
}

}  // namespace litertlm::jinja
