#include "jinja/functions.h"

#include <fmt/format.h>

#include <array>

#include "jinja/call.h"
#include "jinja/print.h"

namespace litertlm::jinja {
namespace {

Value MakeRange(Call& call) {
  call.Bind({"start", "stop", "step"}, 1);
  const bool one = !call.Has(1);
  const int64_t start = one ? 0 : call.Int(0, 0);
  const int64_t stop = one ? call.Int(0, 0) : call.Int(1, 0);
  const int64_t step = call.Int(2, 1);
  if (step == 0) call.Fail("has a step of zero");
  std::vector<Value> items;
  for (int64_t i = start; step > 0 ? i < stop : i > stop;) {
    call.run.Step();
    items.push_back(Value::Int(i));
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return call.run.NewList(std::move(items));
}

// The members of a mapping that is the only argument by place, and of the arguments by name.
Value::Entries Members(Call& call) {
  Value::Entries entries;
  if (!call.positional.empty()) {
    const Dict* dict = call.positional[0].dict();
    if (dict == nullptr || call.positional.size() > 1) call.Fail("takes one mapping, and names");
    entries = dict->entries;
  }
  for (const auto& [key, value] : call.named) entries.emplace_back(Value::String(key), value);
  call.run.Step(entries.size());
  return entries;
}

Value MakeDict(Call& call) { return call.run.NewDict(Members(call)); }

Value MakeNamespace(Call& call) {
  Namespace* space = call.run.NewNamespace();
  for (const auto& [key, value] : Members(call)) {
    const Text name = ToText(call.run, key);
    space->values.insert_or_assign(std::string(name.bytes()), value);
  }
  return Value::Of(space);
}

Value RaiseException(Call& call) {
  call.Bind({"message"}, 1);
  const Text message = ToText(call.run, call[0]);
  call.run.Fail(fmt::format("the template refuses the conversation: {:.300}", message.bytes()),
                ErrorCode::kUnsupported);
}

Value StrftimeNow(Call& call) {
  call.Bind({"format"}, 1);
  const std::string format(call.String(0).bytes());
  std::tm local{};
  if (format.size() > 100 || localtime_r(&call.run.now, &local) == nullptr) {
    call.Fail("needs a short format");
  }
  std::array<char, 1024> buffer{};
  const size_t length = std::strftime(buffer.data(), buffer.size(), format.c_str(), &local);
  return call.run.NewString(Text({buffer.data(), length}, Origin::kTemplate));
}

}  // namespace

std::map<std::string, Value, std::less<>> GlobalFunctions() {
  return {
      {"dict", Value::MakeCallable("dict", MakeDict)},
      {"namespace", Value::MakeCallable("namespace", MakeNamespace)},
      {"raise_exception", Value::MakeCallable("raise_exception", RaiseException)},
      {"range", Value::MakeCallable("range", MakeRange)},
      {"strftime_now", Value::MakeCallable("strftime_now", StrftimeNow)},
  };
}

}  // namespace litertlm::jinja
