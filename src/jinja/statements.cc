#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jinja/filters.h"
#include "jinja/functions.h"
#include "jinja/interpreter.h"
#include "jinja/operators.h"
#include "jinja/print.h"

namespace litertlm::jinja {

/// A scope within `parent` as long as it lives.
class Interpreter::Inside {
 public:
  Inside(Interpreter& interpreter, std::shared_ptr<Scope> parent)
      : interpreter_(interpreter), saved_(std::move(interpreter.scope_)) {
    interpreter_.scope_ = std::make_shared<Scope>();
    interpreter_.scope_->parent = std::move(parent);
  }
  explicit Inside(Interpreter& interpreter) : Inside(interpreter, interpreter.scope_) {}
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { interpreter_.scope_ = std::move(saved_); }

 private:
  Interpreter& interpreter_;
  std::shared_ptr<Scope> saved_;
};

Interpreter::Interpreter(Execution& run, const Dict& context)
    : run_(run), scope_(std::make_shared<Scope>()) {
  scope_->names = GlobalFunctions();
  for (const auto& [key, value] : context.entries) {
    scope_->names.insert_or_assign(std::string(ToText(run, key).bytes()), value);
  }
}

Text Interpreter::Render(const Block& block) {
  Run(block);
  return std::move(out_);
}

Interpreter::Flow Interpreter::Run(const Block& block) {
  for (const Statement& statement : block) {
    const Flow flow = Run(statement);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::Run(const Statement& statement) {
  const Level level(run_);
  run_.Step();
  run_.line = statement.line;
  switch (statement.kind) {
    case Statement::Kind::kData:
      Write(*statement.data.text());
      break;
    case Statement::Kind::kPrint:
      Write(ToText(run_, Evaluate(*statement.exprs[0])));
      break;
    case Statement::Kind::kIf:
      return RunIf(statement);
    case Statement::Kind::kFor:
      return RunFor(statement);
    case Statement::Kind::kSet:
      Assign(statement.targets[0], Evaluate(*statement.exprs[0]));
      break;
    case Statement::Kind::kSetBlock:
      RunSetBlock(statement);
      break;
    case Statement::Kind::kMacro:
      scope_->names.insert_or_assign(statement.name, MakeMacro(statement, statement.name));
      break;
    case Statement::Kind::kCall:
      RunCallBlock(statement);
      break;
    case Statement::Kind::kFilter:
      RunFilterBlock(statement);
      break;
    case Statement::Kind::kScope:
      return RunScope(statement);
    case Statement::Kind::kBreak:
      return Flow::kBreak;
    case Statement::Kind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::RunIf(const Statement& statement) {
  for (size_t i = 0; i < statement.exprs.size(); ++i) {
    if (Evaluate(*statement.exprs[i]).truth()) return Run(statement.blocks[i]);
  }
  const bool has_else = statement.blocks.size() > statement.exprs.size();
  return has_else ? Run(statement.blocks.back()) : Flow::kNext;
}

Interpreter::Flow Interpreter::RunFor(const Statement& statement) {
  std::vector<Value> items = Elements(run_, Evaluate(*statement.exprs[0]));
  if (statement.exprs[1] != nullptr) {
    std::erase_if(items, [&](const Value& item) {
      const Inside scope(*this);
      Assign(statement.targets[0], item);
      return !Evaluate(*statement.exprs[1]).truth();
    });
  }
  if (!items.empty()) return RunLoop(statement, std::move(items));
  return statement.blocks.size() > 1 ? Run(statement.blocks[1]) : Flow::kNext;
}

Interpreter::Flow Interpreter::RunLoop(const Statement& statement, std::vector<Value> items) {
  int depth = 1;
  for (const Value& item : items) depth = std::max(depth, item.depth() + 1);
  const auto shared = std::make_shared<const std::vector<Value>>(std::move(items));
  for (size_t i = 0; i < shared->size(); ++i) {
    const Inside scope(*this);
    run_.Step();
    scope_->names["loop"] = Value::MakeLoop(std::make_shared<const Loop>(Loop{shared, i, depth}));
    Assign(statement.targets[0], (*shared)[i]);
    if (Run(statement.blocks[0]) == Flow::kBreak) break;
  }
  return Flow::kNext;
}

void Interpreter::RunSetBlock(const Statement& statement) {
  Text text = Capture(statement.blocks[0]);
  const Value value = statement.exprs[0] != nullptr ? Filtered(*statement.exprs[0], std::move(text))
                                                    : run_.NewString(std::move(text));
  Assign(statement.targets[0], value);
}

void Interpreter::RunFilterBlock(const Statement& statement) {
  Write(ToText(run_, Filtered(*statement.exprs[0], Capture(statement.blocks[0]))));
}

// The body of {% call macro() %} is what caller() within the macro gives.
void Interpreter::RunCallBlock(const Statement& statement) {
  Call::Named caller;
  caller.emplace_back("caller", MakeMacro(statement, "caller"));
  Write(ToText(run_, EvaluateCall(*statement.exprs[0], std::move(caller))));
}

Interpreter::Flow Interpreter::RunScope(const Statement& statement) {
  std::vector<Value> values;
  for (const ExprPtr& expr : statement.exprs) values.push_back(Evaluate(*expr));
  const Inside scope(*this);
  for (size_t i = 0; i < values.size(); ++i) Assign(statement.targets[i], values[i]);
  return Run(statement.blocks[0]);
}

void Interpreter::Write(const Text& text) {
  run_.CheckOutput(out_.size() + text.size());
  run_.Make(text.size());
  out_.Append(text);
}

Text Interpreter::Capture(const Block& block) {
  const Inside scope(*this);
  Text outside = std::exchange(out_, Text());
  Run(block);
  return std::exchange(out_, std::move(outside));
}

Value Interpreter::Filtered(const Expr& filters, Text captured) {
  const Inside scope(*this);
  scope_->names[kCaptured] = run_.NewString(std::move(captured));
  return Evaluate(filters);
}

void Interpreter::Assign(const Target& target, const Value& value) {
  if (!target.attribute.empty()) {
    Namespace* const space = Lookup(target.names[0]).space();
    if (space == nullptr) {
      run_.Fail(fmt::format("'{0:.40}' is not a namespace, so '{0:.40}.{1:.40}' cannot be set",
                            target.names[0], target.attribute));
    }
    run_.Make(sizeof(Value));
    space->values.insert_or_assign(target.attribute, value);
    return;
  }
  if (!target.unpack) {
    scope_->names.insert_or_assign(target.names[0], value);
    return;
  }
  const std::vector<Value> parts = Elements(run_, value);
  if (parts.size() != target.names.size()) {
    run_.Fail(
        fmt::format("{} values cannot be given to {} names", parts.size(), target.names.size()));
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    scope_->names.insert_or_assign(target.names[i], parts[i]);
  }
}

Value Interpreter::MakeMacro(const Statement& statement, std::string name) {
  // A scope holds the macros that are defined in it, so a macro must not hold its scope.
  const std::weak_ptr<Scope> home = scope_;
  return Value::MakeCallable(std::move(name), [this, &statement, home](Call& call) {
    const std::shared_ptr<Scope> scope = home.lock();
    if (scope == nullptr) call.Fail("is called outside of where it is defined");
    return CallMacro(statement, scope, call);
  });
}

Value Interpreter::CallMacro(const Statement& macro, const std::shared_ptr<Scope>& home,
                             Call& call) {
  const Level level(run_);
  const Inside scope(*this, home);
  if (call.positional.size() > macro.parameters.size()) {
    call.Fail(fmt::format("takes at most {} arguments, not {}", macro.parameters.size(),
                          call.positional.size()));
  }
  for (size_t i = 0; i < macro.parameters.size(); ++i) {
    const Parameter& parameter = macro.parameters[i];
    const auto named = std::find_if(call.named.begin(), call.named.end(),
                                    [&](const auto& pair) { return pair.first == parameter.name; });
    Value& variable = scope_->names[parameter.name];
    if (i < call.positional.size()) {
      variable = call.positional[i];
    } else if (named != call.named.end()) {
      variable = named->second;
      call.named.erase(named);
    } else if (parameter.fallback != nullptr) {
      variable = Evaluate(*parameter.fallback);
    }
  }
  for (const auto& [key, value] : call.named) {
    if (key != "caller") call.Fail(fmt::format("has no parameter '{:.40}'", key));
    scope_->names.insert_or_assign(key, value);
  }
  const int line = run_.line;
  Value result = run_.NewString(Capture(macro.blocks[0]));
  run_.line = line;
  return result;
}

}  // namespace litertlm::jinja
