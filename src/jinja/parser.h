// Tokens to a syntax tree, by recursive descent with the precedences of Jinja2.
#ifndef LITERTLM_JINJA_PARSER_H_
#define LITERTLM_JINJA_PARSER_H_

#include <initializer_list>
#include <string_view>
#include <vector>

#include "jinja/ast.h"
#include "jinja/lexer.h"

namespace litertlm::jinja {

/// Throws kBadInput naming `where` and the line; also for a tree deeper than kMaxSyntaxDepth.
Block Parse(std::vector<Token> tokens, std::string_view where);

/// What the parsers of expressions and statements share: the place in the tokens.
class TokenReader {
 public:
  TokenReader(std::vector<Token> tokens, std::string_view where);

  [[noreturn]] void Fail(std::string_view what) const;
  [[noreturn]] void FailAtToken(std::string_view wanted) const;

  const Token& Peek(size_t ahead = 0) const;
  bool Sees(TokenKind kind) const { return Peek().kind == kind; }
  bool SeesSymbol(std::string_view symbol) const;
  bool SeesName(std::string_view name) const;
  Token Take();
  bool TakeSymbol(std::string_view symbol);
  bool TakeName(std::string_view name);
  void Expect(TokenKind kind, std::string_view spelling);
  void ExpectSymbol(std::string_view symbol);
  std::string ExpectName(std::string_view what);

 private:
  std::vector<Token> tokens_;
  std::string_view where_;
  size_t at_ = 0;
};

class ExpressionParser {
 public:
  explicit ExpressionParser(TokenReader& in) : in_(in) {}

  ExprPtr ParseExpression();              ///< With `a if b else c`.
  ExprPtr ParseOr();                      ///< Without it.
  ExprPtr ParseTuple();                   ///< Also several, separated by commas.
  ExprPtr ParseFilters(ExprPtr subject);  ///< Behind "|": the filters of a block.
  Expr Start(Expr::Kind kind) const;
  /// Closes a node: its depth is known now.
  ExprPtr Finish(Expr expr) const;

 private:
  class Nesting;

  ExprPtr ParseAnd();
  ExprPtr ParseNot();
  ExprPtr ParseCompare();
  ExprPtr ParseSum();
  ExprPtr ParseConcatenation();
  ExprPtr ParseProduct();
  ExprPtr ParsePower();
  ExprPtr ParseUnary(bool with_filters);
  ExprPtr ParsePrimary();
  ExprPtr ParseBrackets();
  ExprPtr ParseDict();
  ExprPtr ParseLiteral();
  ExprPtr ParsePostfix(ExprPtr object);
  ExprPtr ParseFiltersAndTests(ExprPtr subject);
  ExprPtr ParseFilter(ExprPtr subject);
  ExprPtr ParseTest(ExprPtr subject);
  ExprPtr ParseSubscript(ExprPtr object);
  void ParseArguments(Expr& call);

  using Level = ExprPtr (ExpressionParser::*)();
  struct Spelling {
    std::string_view symbol;
    Op op;
  };
  ExprPtr ParseBinary(Level operand, std::initializer_list<Spelling> spellings);
  ExprPtr Join(Expr::Kind kind, ExprPtr left, ExprPtr right, std::vector<Op> ops = {}) const;

  TokenReader& in_;
  int nesting_ = 0;
};

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_PARSER_H_
