#include "jinja/operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "jinja/print.h"

namespace litertlm::jinja {
namespace {

std::string_view Spelling(Op op) {
  static constexpr std::string_view kSpellings[] = {
      "+", "-", "~", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "in", "not in"};
  return kSpellings[static_cast<size_t>(op)];
}

[[noreturn]] void FailTypes(const Execution& run, Op op, const Value& left, const Value& right) {
  run.Fail(fmt::format("'{}' cannot be used on {} and {}", Spelling(op), left.type_name(),
                       right.type_name()));
}

// Neither infinite nor undefined numbers exist here, so that every pair of numbers has an order.
Value Finite(const Execution& run, double value) {
  if (!std::isfinite(value)) run.Fail("a number becomes too large");
  return Value::Float(value);
}

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

Value Power(const Execution& run, int64_t base, int64_t exponent) {
  if (exponent < 0) {
    return Finite(run, std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  int64_t result = 1;
  // Where the loop would be long, it ends early: |base| > 1 overflows.
  if (base == 0 || base == 1) return Value::Int(exponent == 0 ? 1 : base);
  if (base == -1) return Value::Int(exponent % 2 == 0 ? 1 : -1);
  for (int64_t i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(result, base, &result)) run.Fail("a number becomes too large");
  }
  return Value::Int(result);
}

Value OnIntegers(const Execution& run, Op op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  if ((op == Op::kDivide || op == Op::kFloorDivide || op == Op::kModulo) && b == 0) {
    run.Fail("a number is divided by zero");
  }
  switch (op) {
    case Op::kAdd:
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case Op::kSubtract:
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case Op::kMultiply:
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case Op::kDivide:
      return Finite(run, static_cast<double>(a) / static_cast<double>(b));
    case Op::kPower:
      return Power(run, a, b);
    default:
      // The only quotient out of range, for which the processor traps.
      overflow = a == INT64_MIN && b == -1;
      if (overflow) break;
      result = op == Op::kFloorDivide ? FloorDivide(a, b) : a - FloorDivide(a, b) * b;
  }
  if (overflow) run.Fail("a number becomes too large");
  return Value::Int(result);
}

Value OnFloats(const Execution& run, Op op, double a, double b) {
  if ((op == Op::kDivide || op == Op::kFloorDivide || op == Op::kModulo) && b == 0) {
    run.Fail("a number is divided by zero");
  }
  switch (op) {
    case Op::kAdd:
      return Finite(run, a + b);
    case Op::kSubtract:
      return Finite(run, a - b);
    case Op::kMultiply:
      return Finite(run, a * b);
    case Op::kDivide:
      return Finite(run, a / b);
    case Op::kFloorDivide:
      return Finite(run, std::floor(a / b));
    case Op::kModulo:
      return Finite(run, a - std::floor(a / b) * b);
    default:
      return Finite(run, std::pow(a, b));
  }
}

Value Joined(Execution& run, const Text& left, const Text& right) {
  run.Make(left.size() + right.size());
  Text text = left;
  text.Append(right);
  return Value::String(std::move(text));
}

Value JoinedLists(Execution& run, const List& left, const List& right) {
  std::vector<Value> items = left.items;
  items.insert(items.end(), right.items.begin(), right.items.end());
  run.Step(items.size());
  return left.tuple ? run.NewTuple(std::move(items)) : run.NewList(std::move(items));
}

// "ab" * 3 and [1] * 3; nothing if the two are not of these kinds.
std::optional<Value> Repeated(Execution& run, const Value& value, const Value& times) {
  const auto count = times.whole();
  if (!count || (value.text() == nullptr && value.list() == nullptr)) return std::nullopt;
  const auto repeats = static_cast<size_t>(std::max<int64_t>(*count, 0));
  run.Step(repeats);
  if (const Text* text = value.text()) {
    Text result;
    for (size_t i = 0; i < repeats; ++i) {
      run.Make(text->size());
      result.Append(*text);
    }
    return Value::String(std::move(result));
  }
  const List& list = *value.list();
  std::vector<Value> items;
  for (size_t i = 0; i < repeats; ++i) {
    run.Make(list.items.size() * sizeof(Value));
    items.insert(items.end(), list.items.begin(), list.items.end());
  }
  return list.tuple ? run.NewTuple(std::move(items)) : run.NewList(std::move(items));
}

bool EqualLists(Execution& run, const std::vector<Value>& left, const std::vector<Value>& right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [&](const Value& a, const Value& b) { return Equal(run, a, b); });
}

bool EqualDicts(Execution& run, const Dict& left, const Dict& right) {
  if (left.entries.size() != right.entries.size()) return false;
  return std::all_of(left.entries.begin(), left.entries.end(), [&](const auto& entry) {
    return std::any_of(right.entries.begin(), right.entries.end(), [&](const auto& other) {
      return Equal(run, entry.first, other.first) && Equal(run, entry.second, other.second);
    });
  });
}

}  // namespace

Value Arithmetic(Execution& run, Op op, const Value& left, const Value& right) {
  if (op == Op::kConcatenate) return Joined(run, ToText(run, left), ToText(run, right));
  if (left.whole() && right.whole()) return OnIntegers(run, op, *left.whole(), *right.whole());
  if (left.number() && right.number()) return OnFloats(run, op, *left.number(), *right.number());
  if (op == Op::kAdd && left.text() != nullptr && right.text() != nullptr) {
    return Joined(run, *left.text(), *right.text());
  }
  if (op == Op::kAdd && left.list() != nullptr && right.list() != nullptr &&
      left.list()->tuple == right.list()->tuple) {
    return JoinedLists(run, *left.list(), *right.list());
  }
  if (op == Op::kMultiply) {
    if (auto repeated = Repeated(run, left, right)) return *repeated;
    if (auto repeated = Repeated(run, right, left)) return *repeated;
  }
  FailTypes(run, op, left, right);
}

Value Negative(Execution& run, const Value& value) {
  if (const auto whole = value.whole()) return OnIntegers(run, Op::kSubtract, 0, *whole);
  if (const auto number = value.number()) return Value::Float(-*number);
  run.Fail(fmt::format("a {} has no negative", value.type_name()));
}

bool Equal(Execution& run, const Value& left, const Value& right) {
  run.Step();
  if (left.number() && right.number()) {
    if (left.whole() && right.whole()) return *left.whole() == *right.whole();
    return *left.number() == *right.number();
  }
  if (left.text() != nullptr && right.text() != nullptr) {
    run.Scan(left.text()->size());
    return *left.text() == *right.text();
  }
  if (left.list() != nullptr && right.list() != nullptr) {
    return left.list()->tuple == right.list()->tuple &&
           EqualLists(run, left.list()->items, right.list()->items);
  }
  if (left.dict() != nullptr && right.dict() != nullptr) {
    return EqualDicts(run, *left.dict(), *right.dict());
  }
  if (left.is_undefined() || left.is_none()) return left.type_name() == right.type_name();
  if (left.space() != nullptr) return left.space() == right.space();
  if (left.callable() != nullptr) return left.callable() == right.callable();
  return left.loop() != nullptr && left.loop() == right.loop();
}

bool Less(Execution& run, const Value& left, const Value& right) {
  run.Step();
  if (left.number() && right.number()) {
    if (left.whole() && right.whole()) return *left.whole() < *right.whole();
    return *left.number() < *right.number();
  }
  if (left.text() != nullptr && right.text() != nullptr) {
    run.Scan(left.text()->size());
    return left.text()->bytes() < right.text()->bytes();
  }
  if (left.list() != nullptr && right.list() != nullptr) {
    const std::vector<Value>& a = left.list()->items;
    const std::vector<Value>& b = right.list()->items;
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      if (!Equal(run, a[i], b[i])) return Less(run, a[i], b[i]);
    }
    return a.size() < b.size();
  }
  FailTypes(run, Op::kLess, left, right);
}

bool Contains(Execution& run, const Value& container, const Value& item) {
  run.Step();
  if (const Text* text = container.text()) {
    if (item.text() == nullptr) FailTypes(run, Op::kIn, item, container);
    run.Scan(text->size() + item.text()->size());
    return FindBytes(text->bytes(), item.text()->bytes()) != std::string::npos;
  }
  const auto equals = [&](const Value& candidate) { return Equal(run, candidate, item); };
  if (const List* list = container.list()) {
    return std::any_of(list->items.begin(), list->items.end(), equals);
  }
  if (const Dict* dict = container.dict()) {
    return std::any_of(dict->entries.begin(), dict->entries.end(),
                       [&](const auto& entry) { return equals(entry.first); });
  }
  if (container.is_undefined()) return false;
  FailTypes(run, Op::kIn, item, container);
}

bool Compare(Execution& run, Op op, const Value& left, const Value& right) {
  switch (op) {
    case Op::kEqual:
      return Equal(run, left, right);
    case Op::kNotEqual:
      return !Equal(run, left, right);
    case Op::kLess:
      return Less(run, left, right);
    case Op::kLessEqual:
      return !Less(run, right, left);
    case Op::kGreater:
      return Less(run, right, left);
    case Op::kGreaterEqual:
      return !Less(run, left, right);
    case Op::kIn:
      return Contains(run, right, left);
    default:
      return !Contains(run, right, left);
  }
}

}  // namespace litertlm::jinja
