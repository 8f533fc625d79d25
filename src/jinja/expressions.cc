#include <fmt/format.h>

#include "jinja/filters.h"
#include "jinja/interpreter.h"
#include "jinja/operators.h"
#include "jinja/tests.h"

namespace litertlm::jinja {
namespace {

using Kind = Expr::Kind;

// How the template spells a value: for messages.
std::string Spelling(const Expr& expr) {
  if (expr.kind == Kind::kName) return expr.name;
  if (expr.kind == Kind::kAttribute) {
    return fmt::format("{}.{}", Spelling(*expr.children[0]), expr.name);
  }
  if (expr.kind == Kind::kSubscript) return fmt::format("{}[…]", Spelling(*expr.children[0]));
  return "a value";
}

}  // namespace

Value Interpreter::Evaluate(const Expr& expr) {
  const Level level(run_);
  run_.Step();
  switch (expr.kind) {
    case Kind::kLiteral:
      return expr.literal;
    case Kind::kName:
      return Lookup(expr.name);
    case Kind::kAttribute:
    case Kind::kSubscript:
    case Kind::kSlice:
      return EvaluateMember(expr);
    case Kind::kNegate:
      return Negative(run_, Evaluate(*expr.children[0]));
    case Kind::kPlus:
      return Arithmetic(run_, Op::kAdd, Value::Int(0), Evaluate(*expr.children[0]));
    case Kind::kNot:
    case Kind::kAnd:
    case Kind::kOr:
    case Kind::kConditional:
      return EvaluateLogic(expr);
    case Kind::kBinary: {
      const Value left = Evaluate(*expr.children[0]);
      const Value right = Evaluate(*expr.children[1]);
      run_.line = expr.line;
      return Arithmetic(run_, expr.ops[0], left, right);
    }
    case Kind::kCompare:
      return EvaluateCompare(expr);
    case Kind::kList:
    case Kind::kTuple:
      return EvaluateSequence(expr);
    case Kind::kDict:
      return EvaluateDict(expr);
    case Kind::kCall:
      return EvaluateCall(expr, {});
    case Kind::kFilter:
    case Kind::kTest:
      return EvaluateApplied(expr);
  }
  return Value();
}

Value Interpreter::EvaluateOptional(const ExprPtr& expr) {
  return expr != nullptr ? Evaluate(*expr) : Value();
}

Value Interpreter::Lookup(std::string_view name) const {
  for (const Scope* scope = scope_.get(); scope != nullptr; scope = scope->parent.get()) {
    const auto found = scope->names.find(name);
    if (found != scope->names.end()) return found->second;
  }
  return Value();
}

Value Interpreter::EvaluateMember(const Expr& expr) {
  const Value object = Evaluate(*expr.children[0]);
  run_.line = expr.line;
  if (object.is_undefined()) {
    run_.Fail(fmt::format("'{:.80}' is undefined, so nothing can be taken from it",
                          Spelling(*expr.children[0])));
  }
  if (expr.kind == Kind::kAttribute) return GetAttribute(run_, object, expr.name);
  if (expr.kind == Kind::kSubscript) return GetItem(run_, object, Evaluate(*expr.children[1]));
  const Value start = EvaluateOptional(expr.children[1]);
  const Value stop = EvaluateOptional(expr.children[2]);
  return GetSlice(run_, object, start, stop, EvaluateOptional(expr.children[3]));
}

Value Interpreter::EvaluateLogic(const Expr& expr) {
  const Value first = Evaluate(*expr.children[0]);
  switch (expr.kind) {
    case Kind::kNot:
      return Value::Bool(!first.truth());
    case Kind::kAnd:
      return first.truth() ? Evaluate(*expr.children[1]) : first;
    case Kind::kOr:
      return first.truth() ? first : Evaluate(*expr.children[1]);
    default:
      return EvaluateOptional(expr.children[first.truth() ? 1 : 2]);
  }
}

Value Interpreter::EvaluateCompare(const Expr& expr) {
  Value left = Evaluate(*expr.children[0]);
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    Value right = Evaluate(*expr.children[i + 1]);
    run_.line = expr.line;
    if (!Compare(run_, expr.ops[i], left, right)) return Value::Bool(false);
    left = std::move(right);
  }
  return Value::Bool(true);
}

Value Interpreter::EvaluateSequence(const Expr& expr) {
  std::vector<Value> items;
  for (const ExprPtr& child : expr.children) items.push_back(Evaluate(*child));
  return expr.kind == Kind::kList ? run_.NewList(std::move(items))
                                  : run_.NewTuple(std::move(items));
}

Value Interpreter::EvaluateDict(const Expr& expr) {
  Value::Entries entries;
  for (size_t i = 0; i < expr.children.size(); i += 2) {
    const Value key = Evaluate(*expr.children[i]);
    const Value value = Evaluate(*expr.children[i + 1]);
    // The last of equal keys wins, at the place of the first.
    auto entry = entries.begin();
    while (entry != entries.end() && !Equal(run_, entry->first, key)) ++entry;
    if (entry == entries.end()) {
      entries.emplace_back(key, value);
    } else {
      entry->second = value;
    }
  }
  return run_.NewDict(std::move(entries));
}

Value Interpreter::EvaluateApplied(const Expr& expr) {
  const Value subject = Evaluate(*expr.children[0]);
  Call call = Arguments(expr, expr.name);
  run_.line = expr.line;
  if (expr.kind == Kind::kTest) return Value::Bool(RunTest(subject, call));
  return ApplyFilter(subject, call);
}

Value Interpreter::EvaluateCall(const Expr& expr, Call::Named more) {
  const Value function = Evaluate(*expr.children[0]);
  if (function.callable() == nullptr) {
    run_.line = expr.line;
    run_.Fail(fmt::format(
        "'{:.80}' is not a function, but {}", Spelling(*expr.children[0]),
        function.is_undefined() ? "undefined" : fmt::format("a {}", function.type_name())));
  }
  Call call = Arguments(expr, function.callable()->name);
  call.named.insert(call.named.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  run_.line = expr.line;
  return function.callable()->call(call);
}

// The children after the first: some by place, then some by name.
Call Interpreter::Arguments(const Expr& expr, std::string_view name) {
  Call call(run_, name);
  const size_t by_place = expr.children.size() - expr.keywords.size();
  for (size_t i = 1; i < by_place; ++i) call.positional.push_back(Evaluate(*expr.children[i]));
  for (size_t i = 0; i < expr.keywords.size(); ++i) {
    call.named.emplace_back(expr.keywords[i], Evaluate(*expr.children[by_place + i]));
  }
  return call;
}

}  // namespace litertlm::jinja
