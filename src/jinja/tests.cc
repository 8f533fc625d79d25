#include "jinja/tests.h"

#include <fmt/format.h>

#include <map>

#include "base/utf8.h"
#include "jinja/operators.h"
#include "jinja/text_ops.h"

namespace litertlm::jinja {
namespace {

using Test = bool (*)(const Value& subject, Call& call);

// Tests without arguments.
bool IsDefined(const Value& value) { return !value.is_undefined(); }
bool IsUndefined(const Value& value) { return value.is_undefined(); }
bool IsNone(const Value& value) { return value.is_none(); }
bool IsBoolean(const Value& value) { return value.boolean() != nullptr; }
bool IsTrue(const Value& value) { return value.boolean() != nullptr && *value.boolean(); }
bool IsFalse(const Value& value) { return value.boolean() != nullptr && !*value.boolean(); }
bool IsInteger(const Value& value) { return value.integer() != nullptr; }
bool IsFloat(const Value& value) { return value.floating() != nullptr; }
bool IsNumber(const Value& value) { return value.number().has_value(); }
bool IsString(const Value& value) { return value.text() != nullptr; }
bool IsMapping(const Value& value) { return value.dict() != nullptr; }
bool IsCallable(const Value& value) { return value.callable() != nullptr; }
// As in Python, a mapping is a sequence, too, and what is undefined can be gone through.
bool IsSequence(const Value& value) {
  return value.text() != nullptr || value.list() != nullptr || value.dict() != nullptr ||
         value.is_undefined();
}

bool HasCase(const Value& value, bool (*is)(char32_t), bool (*is_opposite)(char32_t)) {
  if (value.text() == nullptr) return false;
  bool any = false;
  const std::string_view bytes = value.text()->bytes();
  for (size_t i = 0; i < bytes.size();) {
    const Utf8Char c = DecodeUtf8(bytes, i);
    if (is_opposite(c.code)) return false;
    any = any || is(c.code);
    i += c.length;
  }
  return any;
}
bool IsLowerCase(const Value& value) { return HasCase(value, IsLower, IsUpper); }
bool IsUpperCase(const Value& value) { return HasCase(value, IsUpper, IsLower); }

template <bool (*kTest)(const Value&)>
bool Plain(const Value& subject, Call& call) {
  call.Bind({});
  return kTest(subject);
}

template <Op kOp>
bool Compares(const Value& subject, Call& call) {
  call.Bind({"other"}, 1);
  return Compare(call.run, kOp, subject, call[0]);
}

bool SameAs(const Value& subject, Call& call) {
  call.Bind({"other"}, 1);
  return subject.type_name() == call[0].type_name() && Equal(call.run, subject, call[0]);
}

int64_t Remainder(const Value& subject, Call& call, int64_t divisor) {
  const auto whole = subject.whole();
  if (!whole) call.Fail(fmt::format("needs an integer, not a {}", subject.type_name()));
  if (divisor == 0) call.Fail("divides by zero");
  return divisor == -1 ? 0 : *whole % divisor;
}

bool Odd(const Value& subject, Call& call) {
  call.Bind({});
  return Remainder(subject, call, 2) != 0;
}
bool Even(const Value& subject, Call& call) {
  call.Bind({});
  return Remainder(subject, call, 2) == 0;
}
bool DivisibleBy(const Value& subject, Call& call) {
  call.Bind({"divisor"}, 1);
  return Remainder(subject, call, call.Int(0, 0)) == 0;
}

}  // namespace

bool RunTest(const Value& subject, Call& call) {
  static const std::map<std::string_view, Test> kTests = {
      {"boolean", Plain<IsBoolean>},
      {"callable", Plain<IsCallable>},
      {"defined", Plain<IsDefined>},
      {"divisibleby", DivisibleBy},
      {"eq", Compares<Op::kEqual>},
      {"equalto", Compares<Op::kEqual>},
      {"even", Even},
      {"false", Plain<IsFalse>},
      {"float", Plain<IsFloat>},
      {"ge", Compares<Op::kGreaterEqual>},
      {"greaterthan", Compares<Op::kGreater>},
      {"gt", Compares<Op::kGreater>},
      {"in", Compares<Op::kIn>},
      {"integer", Plain<IsInteger>},
      {"iterable", Plain<IsSequence>},
      {"le", Compares<Op::kLessEqual>},
      {"lessthan", Compares<Op::kLess>},
      {"lower", Plain<IsLowerCase>},
      {"lt", Compares<Op::kLess>},
      {"mapping", Plain<IsMapping>},
      {"ne", Compares<Op::kNotEqual>},
      {"none", Plain<IsNone>},
      {"number", Plain<IsNumber>},
      {"odd", Odd},
      {"sameas", SameAs},
      {"sequence", Plain<IsSequence>},
      {"string", Plain<IsString>},
      {"true", Plain<IsTrue>},
      {"undefined", Plain<IsUndefined>},
      {"upper", Plain<IsUpperCase>},
      {"==", Compares<Op::kEqual>},
      {"!=", Compares<Op::kNotEqual>},
      {"<", Compares<Op::kLess>},
      {"<=", Compares<Op::kLessEqual>},
      {">", Compares<Op::kGreater>},
      {">=", Compares<Op::kGreaterEqual>},
  };
  call.run.Step();
  if (subject.text() != nullptr) call.run.Scan(subject.text()->size());
  const auto found = kTests.find(call.name);
  if (found == kTests.end()) {
    call.run.Fail(fmt::format("the test '{:.40}' is not known", call.name));
  }
  return found->second(subject, call);
}

}  // namespace litertlm::jinja
