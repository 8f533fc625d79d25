// Filters on single values: numbers, defaults.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

#include "jinja/filters.h"
#include "jinja/operators.h"
#include "jinja/text_ops.h"

namespace litertlm::jinja {
namespace {

Value Default(const Value& subject, Call& call) {
  call.Bind({"default_value", "boolean"});
  const bool missing = subject.is_undefined() || (call.Flag(1, false) && !subject.truth());
  if (!missing) return subject;
  return call.positional.empty() && call.named.empty() ? Value::String("") : call[0];
}

Value Absolute(const Value& subject, Call& call) {
  call.Bind({});
  if (!subject.number()) call.Fail(fmt::format("needs a number, not a {}", subject.type_name()));
  return *subject.number() < 0 ? Negative(call.run, subject) : subject;
}

// The number that all of `text`, but white space at its ends, spells.
template <class Number, class... Format>
std::optional<Number> Parse(const Text& text, Format... format) {
  const Text stripped = Strip(text, nullptr, Sides::kBoth);
  std::string_view digits = stripped.bytes();
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  Number number{};
  const auto parsed =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, format...);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<double> ParseFloat(const Text& text) {
  const auto number = Parse<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<int64_t> ToInteger(double number) {
  if (!(std::abs(number) < 9.2e18)) return std::nullopt;
  return static_cast<int64_t>(number);
}

Value Integer(const Value& subject, Call& call) {
  call.Bind({"default", "base"});
  std::optional<int64_t> result = subject.whole();
  if (const Text* text = subject.text()) {
    const int64_t base = call.Int(1, 10);
    if (base < 2 || base > 36) call.Fail("needs a base from 2 to 36");
    result = Parse<int64_t>(*text, static_cast<int>(base));
    if (const auto number = ParseFloat(*text); !result && number) result = ToInteger(*number);
  } else if (!result && subject.number()) {
    result = ToInteger(*subject.number());
  }
  if (result) return Value::Int(*result);
  return call.Has(0) ? call[0] : Value::Int(0);
}

Value Float(const Value& subject, Call& call) {
  call.Bind({"default"});
  std::optional<double> result = subject.number();
  if (const Text* text = subject.text()) result = ParseFloat(*text);
  if (result) return Value::Float(*result);
  return call.Has(0) ? call[0] : Value::Float(0);
}

Value Round(const Value& subject, Call& call) {
  call.Bind({"precision", "method"});
  if (!subject.number()) call.Fail(fmt::format("needs a number, not a {}", subject.type_name()));
  const int64_t precision = call.Int(0, 0);
  if (precision < -15 || precision > 15) call.Fail("needs a precision from -15 to 15");
  const std::string_view method = call.Has(1) ? call.String(1).bytes() : "common";
  // Python's round() leaves integers integers.
  if (subject.whole() && method == "common" && precision >= 0) return Value::Int(*subject.whole());
  const double number = *subject.number();
  const double scale = std::pow(10.0, static_cast<double>(precision));
  double result = 0;
  if (method == "ceil") {
    result = std::ceil(number * scale) / scale;
  } else if (method == "floor") {
    result = std::floor(number * scale) / scale;
  } else if (method != "common") {
    call.Fail("knows the methods common, ceil and floor");
  } else if (precision > 0) {
    // Python rounds the exact decimal value, and so does the formatting of numbers.
    result = std::strtod(fmt::format("{:.{}f}", number, precision).c_str(), nullptr);
  } else {
    result = std::nearbyint(number * scale) / scale;
  }
  if (!std::isfinite(result)) call.Fail("makes a number too large");
  return Value::Float(result);
}

}  // namespace

const Filters& ValueFilters() {
  static const Filters kFilters = {
      {"abs", Absolute}, {"d", Default},   {"default", Default},
      {"float", Float},  {"int", Integer}, {"round", Round},
  };
  return kFilters;
}

}  // namespace litertlm::jinja
