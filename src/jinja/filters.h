// Filters: `value | name(arguments)`.
#ifndef LITERTLM_JINJA_FILTERS_H_
#define LITERTLM_JINJA_FILTERS_H_

#include <map>
#include <string_view>
#include <vector>

#include "jinja/call.h"
#include "jinja/value.h"

namespace litertlm::jinja {

using Filter = Value (*)(const Value& subject, Call& call);
using Filters = std::map<std::string_view, Filter>;

/// Throws if there is no filter of the call's name.
Value ApplyFilter(const Value& subject, Call& call);

const Filters& TextFilters();
const Filters& ListFilters();
/// Filters that choose elements, or a value of each element.
const Filters& SelectionFilters();
const Filters& ValueFilters();

/// What "a.b.0" names within a value; the value itself if `path` is undefined.
Value AtPath(Execution& run, const Value& value, const Value& path);
/// In lower case if it is a string and `case_sensitive` is false: what is compared.
Value SortKey(Execution& run, const Value& value, const Value& path, bool case_sensitive);

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_FILTERS_H_
