#include <fmt/format.h>

#include <algorithm>

#include "jinja/call.h"
#include "jinja/methods.h"
#include "jinja/operators.h"
#include "jinja/text_ops.h"

namespace litertlm::jinja {
namespace {

Value LoopMember(const Value& self, std::string_view name) {
  const Loop& loop = *self.loop();
  const std::vector<Value>& items = *loop.items;
  const auto index = static_cast<int64_t>(loop.index);
  const auto length = static_cast<int64_t>(items.size());
  if (name == "index") return Value::Int(index + 1);
  if (name == "index0") return Value::Int(index);
  if (name == "revindex") return Value::Int(length - index);
  if (name == "revindex0") return Value::Int(length - index - 1);
  if (name == "first") return Value::Bool(index == 0);
  if (name == "last") return Value::Bool(index + 1 == length);
  if (name == "length") return Value::Int(length);
  if (name == "depth") return Value::Int(1);
  if (name == "depth0") return Value::Int(0);
  if (name == "previtem") return index > 0 ? items[loop.index - 1] : Value();
  if (name == "nextitem") return index + 1 < length ? items[loop.index + 1] : Value();
  if (name != "cycle") return Value();
  return Value::MakeCallable("loop.cycle", [at = loop.index](Call& call) {
    if (call.positional.empty()) call.Fail("needs something to choose from");
    return call.positional[at % call.positional.size()];
  });
}

// Python's rules for the bounds of slices.
struct Range {
  int64_t start, stop, step;
};

int64_t Bound(Execution& run, const Value& value, int64_t fallback, int64_t low, int64_t high,
              int64_t length) {
  if (value.is_none() || value.is_undefined()) return fallback;
  const auto whole = value.whole();
  if (!whole) run.Fail(fmt::format("a slice is bounded by a {}", value.type_name()));
  return std::clamp(*whole < 0 ? *whole + length : *whole, low, high);
}

Range SliceRange(Execution& run, const Value& start, const Value& stop, const Value& step,
                 int64_t length) {
  // More than the length makes no difference, and less could not be negated.
  const int64_t by = Bound(run, step, 1, -length - 1, length + 1, 0);
  if (by == 0) run.Fail("the step of a slice is zero");
  if (by > 0) {
    return {Bound(run, start, 0, 0, length, length), Bound(run, stop, length, 0, length, length),
            by};
  }
  return {Bound(run, start, length - 1, -1, length - 1, length),
          Bound(run, stop, -1, -1, length - 1, length), by};
}

std::vector<size_t> Indices(Execution& run, const Range& range) {
  std::vector<size_t> indices;
  for (int64_t i = range.start; range.step > 0 ? i < range.stop : i > range.stop; i += range.step) {
    run.Step();
    indices.push_back(static_cast<size_t>(i));
  }
  return indices;
}

std::optional<size_t> IndexOf(const Value& key, size_t length) {
  const auto whole = key.whole();
  if (!whole) return std::nullopt;
  const int64_t index = *whole < 0 ? *whole + static_cast<int64_t>(length) : *whole;
  if (index < 0 || index >= static_cast<int64_t>(length)) return std::nullopt;
  return static_cast<size_t>(index);
}

}  // namespace

Value GetAttribute(Execution& run, const Value& object, std::string_view name) {
  run.Step();
  if (object.loop() != nullptr) return LoopMember(object, name);
  if (const Namespace* space = object.space()) {
    const auto found = space->values.find(name);
    return found != space->values.end() ? found->second : Value();
  }
  if (const Method method = FindMethod(object, name)) {
    return Value::MakeCallable(
        std::string(name), [object, method](Call& call) { return method(object, call); },
        object.depth() + 1);
  }
  if (const Dict* dict = object.dict()) {
    run.Step(dict->entries.size());
    if (const Value* found = dict->Find(name)) return *found;
  }
  return Value();
}

Value GetItem(Execution& run, const Value& object, const Value& key) {
  run.Step();
  if (const Dict* dict = object.dict()) {
    for (const auto& [candidate, value] : dict->entries) {
      if (Equal(run, candidate, key)) return value;
    }
  } else if (const List* list = object.list()) {
    if (const auto index = IndexOf(key, list->items.size())) return list->items[*index];
  } else if (const Text* text = object.text()) {
    run.Scan(text->size());
    const std::vector<size_t> starts = CharacterStarts(*text);
    if (const auto index = IndexOf(key, starts.size() - 1)) {
      return run.NewString(text->Sub(starts[*index], starts[*index + 1] - starts[*index]));
    }
  }
  return key.text() != nullptr ? GetAttribute(run, object, key.text()->bytes()) : Value();
}

Value GetSlice(Execution& run, const Value& object, const Value& start, const Value& stop,
               const Value& step) {
  if (const List* list = object.list()) {
    const auto length = static_cast<int64_t>(list->items.size());
    std::vector<Value> items;
    for (const size_t i : Indices(run, SliceRange(run, start, stop, step, length))) {
      items.push_back(list->items[i]);
    }
    return list->tuple ? run.NewTuple(std::move(items)) : run.NewList(std::move(items));
  }
  if (const Text* text = object.text()) {
    run.Scan(text->size());
    const std::vector<size_t> starts = CharacterStarts(*text);
    const Range range = SliceRange(run, start, stop, step, static_cast<int64_t>(starts.size()) - 1);
    if (range.step == 1) {
      const size_t begin = starts[static_cast<size_t>(range.start)];
      const size_t end = starts[static_cast<size_t>(std::max(range.start, range.stop))];
      return run.NewString(text->Sub(begin, end - begin));
    }
    Text result;
    for (const size_t i : Indices(run, range)) {
      result.Append(text->Sub(starts[i], starts[i + 1] - starts[i]));
    }
    return run.NewString(std::move(result));
  }
  run.Fail(fmt::format("a {} cannot be sliced", object.type_name()));
}

std::vector<Value> Elements(Execution& run, const Value& value) {
  std::vector<Value> elements;
  if (const List* list = value.list()) {
    elements = list->items;
  } else if (const Dict* dict = value.dict()) {
    for (const auto& [key, member] : dict->entries) elements.push_back(key);
  } else if (const Text* text = value.text()) {
    run.Scan(text->size());
    const std::vector<size_t> starts = CharacterStarts(*text);
    run.Make((starts.size() - 1) * sizeof(Text));
    for (size_t i = 0; i + 1 < starts.size(); ++i) {
      elements.push_back(Value::String(text->Sub(starts[i], starts[i + 1] - starts[i])));
    }
  } else if (!value.is_undefined()) {
    run.Fail(fmt::format("a {} has no elements to go through", value.type_name()));
  }
  run.Step(elements.size());
  run.Make(elements.size() * sizeof(Value));
  return elements;
}

Value Items(Execution& run, const Dict& dict) {
  std::vector<Value> items;
  for (const auto& [key, value] : dict.entries) {
    run.Step();
    items.push_back(run.NewTuple({key, value}));
  }
  return run.NewList(std::move(items));
}

}  // namespace litertlm::jinja
