// What operators, subscripts and attributes mean for each kind of value.
#ifndef LITERTLM_JINJA_OPERATORS_H_
#define LITERTLM_JINJA_OPERATORS_H_

#include <string_view>
#include <vector>

#include "jinja/ast.h"
#include "jinja/execution.h"
#include "jinja/value.h"

namespace litertlm::jinja {

Value Arithmetic(Execution& run, Op op, const Value& left, const Value& right);
Value Negative(Execution& run, const Value& value);

bool Compare(Execution& run, Op op, const Value& left, const Value& right);
bool Equal(Execution& run, const Value& left, const Value& right);
/// Throws for values that have no order.
bool Less(Execution& run, const Value& left, const Value& right);
bool Contains(Execution& run, const Value& container, const Value& item);

/// `object.name`: a method, a member, or undefined.
Value GetAttribute(Execution& run, const Value& object, std::string_view name);
/// `object[key]`: an element, an attribute, or undefined.
Value GetItem(Execution& run, const Value& object, const Value& key);
/// `object[start:stop:step]`, each of them may be none.
Value GetSlice(Execution& run, const Value& object, const Value& start, const Value& stop,
               const Value& step);

/// The elements of a list, the keys of a mapping, the characters of a string.
std::vector<Value> Elements(Execution& run, const Value& value);

/// The entries of a mapping as a list of tuples of key and value.
Value Items(Execution& run, const Dict& dict);

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_OPERATORS_H_
