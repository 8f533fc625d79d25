#include "convert/config.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "base/file.h"
#include "base/json.h"
#include "litertlm/error.h"

namespace litertlm {

Config::Config(std::shared_ptr<const Json> json, std::string where)
    : json_(std::move(json)), where_(std::move(where)) {
  if (!json_->is_object()) {
    throw Error(ErrorCode::kBadInput, fmt::format("{} is not a JSON object.", where_));
  }
}

Config Config::Read(const std::filesystem::path& file) {
  return Parse(ReadFile(file), file.string());
}

Config Config::ReadIfExists(const std::filesystem::path& file) {
  return std::filesystem::exists(file) ? Read(file) : Parse("{}", file.string());
}

Config Config::Parse(std::string_view text, std::string where) {
  auto json = std::make_shared<const Json>(ParseJson(text, where));
  return Config(std::move(json), std::move(where));
}

const Json* Config::Find(std::string_view key) const {
  const auto it = json_->find(key);
  return it == json_->end() || it->is_null() ? nullptr : &*it;
}

void Config::Fail(std::string_view key, std::string_view what) const {
  throw Error(ErrorCode::kBadInput, fmt::format("{}: \"{}\" {}.", where_, key, what));
}

template <typename T>
T Config::FallbackOrFail(std::string_view key, std::optional<T> fallback) const {
  if (!fallback) Fail(key, "is missing");
  return *std::move(fallback);
}

bool Config::Has(std::string_view key) const { return Find(key) != nullptr; }

int64_t Config::Int(std::string_view key, int64_t min, int64_t max,
                    std::optional<int64_t> fallback) const {
  const Json* value = Find(key);
  if (value == nullptr) return FallbackOrFail(key, fallback);
  if (value->is_array()) Fail(key, "is a list where one whole number is expected");
  return Ints(key, min, max).front();
}

double Config::Number(std::string_view key, double min, double max,
                      std::optional<double> fallback) const {
  const Json* value = Find(key);
  if (value == nullptr) return FallbackOrFail(key, fallback);
  if (!value->is_number()) Fail(key, "is not a number");
  const double number = value->get<double>();
  if (!(number >= min && number <= max)) {
    Fail(key, fmt::format("is {}, outside the range {} to {}", number, min, max));
  }
  return number;
}

bool Config::Bool(std::string_view key, std::optional<bool> fallback) const {
  const Json* value = Find(key);
  if (value == nullptr) return FallbackOrFail(key, fallback);
  if (!value->is_boolean()) Fail(key, "is neither true nor false");
  return value->get<bool>();
}

std::string Config::String(std::string_view key, std::optional<std::string> fallback) const {
  const Json* value = Find(key);
  if (value == nullptr) return FallbackOrFail(key, std::move(fallback));
  if (!value->is_string()) Fail(key, "is not a string");
  return value->get<std::string>();
}

std::vector<std::string> Config::Strings(std::string_view key) const {
  const Json* value = Find(key);
  if (value == nullptr) return {};
  if (!value->is_array()) Fail(key, "is not a list of strings");
  std::vector<std::string> strings;
  for (const Json& item : *value) {
    if (!item.is_string()) Fail(key, "is not a list of strings");
    strings.push_back(item.get<std::string>());
  }
  return strings;
}

std::vector<int64_t> Config::Ints(std::string_view key, int64_t min, int64_t max) const {
  const Json* value = Find(key);
  if (value == nullptr) return {};
  std::vector<int64_t> numbers;
  const auto add = [&](const Json& item) {
    // Some tools write whole numbers as 1e6 or 10000.0.
    const double number = item.is_number() ? item.get<double>() : 0.5;
    if (std::trunc(number) != number) Fail(key, "is not a whole number");
    if (number < static_cast<double>(min) || number > static_cast<double>(max)) {
      Fail(key, fmt::format("is {}, outside the range {} to {}", number, min, max));
    }
    numbers.push_back(static_cast<int64_t>(number));
  };
  if (value->is_array()) {
    for (const Json& item : *value) add(item);
  } else {
    add(*value);
  }
  return numbers;
}

std::optional<Config> Config::Object(std::string_view key) const {
  const Json* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) Fail(key, "is not an object");
  return Config(std::shared_ptr<const Json>(json_, value), fmt::format("{}, {}", where_, key));
}

}  // namespace litertlm
