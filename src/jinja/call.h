// The arguments of a filter, test, method, function or macro.
#ifndef LITERTLM_JINJA_CALL_H_
#define LITERTLM_JINJA_CALL_H_

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/execution.h"
#include "jinja/value.h"

namespace litertlm::jinja {

class Call {
 public:
  using Named = std::vector<std::pair<std::string, Value>>;

  Call(Execution& execution, std::string_view function, std::vector<Value> positional_values = {},
       Named named_values = {})
      : run(execution),
        name(function),
        positional(std::move(positional_values)),
        named(std::move(named_values)) {}

  /// Gives each parameter its argument, whether it came by place or by name; those left out are
  /// undefined. Throws for unknown names, for too many, and if one of the first `required` is
  /// missing.
  void Bind(std::initializer_list<std::string_view> parameters, size_t required = 0);
  /// After Bind: the argument for the parameter.
  const Value& operator[](size_t parameter) const { return bound_[parameter]; }
  bool Has(size_t parameter) const { return !bound_[parameter].is_undefined(); }
  /// Throw where the argument is of another type.
  int64_t Int(size_t parameter, int64_t fallback) const;
  bool Flag(size_t parameter, bool fallback) const;
  const Text& String(size_t parameter) const;

  [[noreturn]] void Fail(std::string_view what) const;

  Execution& run;
  std::string_view name;
  std::vector<Value> positional;
  Named named;

 private:
  std::vector<Value> bound_;
};

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_CALL_H_
