// Walks a syntax tree and writes what it says.
#ifndef LITERTLM_JINJA_INTERPRETER_H_
#define LITERTLM_JINJA_INTERPRETER_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jinja/ast.h"
#include "jinja/call.h"
#include "jinja/execution.h"
#include "jinja/value.h"

namespace litertlm::jinja {

/// Variables; those of the scopes around it can be seen, not set.
struct Scope {
  std::shared_ptr<Scope> parent;
  std::map<std::string, Value, std::less<>> names;
};

class Interpreter {
 public:
  /// `context` holds the variables that the template gets. `run` must outlive the interpreter.
  Interpreter(Execution& run, const Dict& context);

  Text Render(const Block& block);

 private:
  enum class Flow { kNext, kBreak, kContinue };
  class Inside;

  // Statements.
  Flow Run(const Block& block);
  Flow Run(const Statement& statement);
  Flow RunIf(const Statement& statement);
  Flow RunFor(const Statement& statement);
  Flow RunLoop(const Statement& statement, std::vector<Value> items);
  void RunSetBlock(const Statement& statement);
  void RunCallBlock(const Statement& statement);
  void RunFilterBlock(const Statement& statement);
  Flow RunScope(const Statement& statement);
  void Write(const Text& text);
  Text Capture(const Block& block);
  Value Filtered(const Expr& filters, Text captured);
  void Assign(const Target& target, const Value& value);
  Value MakeMacro(const Statement& statement, std::string name);
  Value CallMacro(const Statement& macro, const std::shared_ptr<Scope>& home, Call& call);

  // Expressions.
  Value Evaluate(const Expr& expr);
  Value EvaluateOptional(const ExprPtr& expr);
  Value EvaluateMember(const Expr& expr);
  Value EvaluateLogic(const Expr& expr);
  Value EvaluateCompare(const Expr& expr);
  Value EvaluateSequence(const Expr& expr);
  Value EvaluateDict(const Expr& expr);
  Value EvaluateApplied(const Expr& expr);
  Value EvaluateCall(const Expr& expr, Call::Named more);
  Call Arguments(const Expr& expr, std::string_view name);
  Value Lookup(std::string_view name) const;

  Execution& run_;
  std::shared_ptr<Scope> scope_;
  Text out_;
};

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_INTERPRETER_H_
