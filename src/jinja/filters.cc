#include "jinja/filters.h"

#include <fmt/format.h>

#include <charconv>

#include "jinja/operators.h"
#include "jinja/text_ops.h"

namespace litertlm::jinja {

Value ApplyFilter(const Value& subject, Call& call) {
  call.run.Step();
  if (subject.text() != nullptr) call.run.Scan(subject.text()->size());
  for (const Filters* filters :
       {&TextFilters(), &ListFilters(), &SelectionFilters(), &ValueFilters()}) {
    const auto found = filters->find(call.name);
    if (found != filters->end()) return found->second(subject, call);
  }
  call.run.Fail(fmt::format("the filter '{:.40}' is not known", call.name));
}

Value AtPath(Execution& run, const Value& value, const Value& path) {
  if (path.is_undefined() || path.is_none()) return value;
  if (path.text() == nullptr) return GetItem(run, value, path);
  Value result = value;
  const std::string_view bytes = path.text()->bytes();
  for (size_t begin = 0; begin <= bytes.size();) {
    const size_t end = std::min(bytes.find('.', begin), bytes.size());
    const std::string_view part = bytes.substr(begin, end - begin);
    int64_t index = 0;
    const auto parsed = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool number = parsed.ec == std::errc() && parsed.ptr == part.data() + part.size();
    result = GetItem(run, result, number ? Value::Int(index) : Value::String(part));
    begin = end + 1;
  }
  return result;
}

Value SortKey(Execution& run, const Value& value, const Value& path, bool case_sensitive) {
  Value key = AtPath(run, value, path);
  if (case_sensitive || key.text() == nullptr) return key;
  return run.NewString(Lower(*key.text()));
}

}  // namespace litertlm::jinja
