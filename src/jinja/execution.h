// One rendering: where it is, what it may still spend, and what it owns.
#ifndef LITERTLM_JINJA_EXECUTION_H_
#define LITERTLM_JINJA_EXECUTION_H_

#include <ctime>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/limits.h"
#include "jinja/value.h"
#include "litertlm/error.h"

namespace litertlm::jinja {

/// Throws kBadInput: "WHERE, line LINE: WHAT".
[[noreturn]] void FailAt(std::string_view where, int line, std::string_view what,
                         ErrorCode code = ErrorCode::kBadInput);

/// All functions throw where a limit is passed.
class Execution {
 public:
  Execution(std::string_view where, const Limits& limits, std::time_t time)
      : line(1), now(time), where_(where), limits_(limits) {}
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  [[noreturn]] void Fail(std::string_view what, ErrorCode code = ErrorCode::kBadInput) const {
    FailAt(where_, line, what, code);
  }

  void Step(size_t count = 1);
  /// For looking at that many bytes.
  void Scan(size_t bytes) { Step(bytes / 64); }
  /// Before, or at the latest after, making that many bytes.
  void Make(size_t bytes);
  void CheckOutput(size_t bytes) const;
  void Enter();
  void Leave() { --depth_; }

  Value NewString(Text text);
  Value NewList(std::vector<Value> items);
  Value NewTuple(std::vector<Value> items);
  Value NewDict(Value::Entries entries);
  Namespace* NewNamespace();

  int line;               ///< Of the statement or call that is being worked on.
  const std::time_t now;  ///< For strftime_now.

 private:
  const Value& Checked(const Value& value) const;

  std::string_view where_;
  Limits limits_;
  size_t steps_ = 0;
  size_t bytes_ = 0;
  int depth_ = 0;
  std::deque<Namespace> namespaces_;
};

/// One level of recursion.
class Level {
 public:
  explicit Level(Execution& run) : run_(run) { run.Enter(); }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;
  ~Level() { run_.Leave(); }

 private:
  Execution& run_;
};

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_EXECUTION_H_
