#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "jinja/limits.h"
#include "jinja/parser.h"

namespace litertlm::jinja {
namespace {

using Kind = Expr::Kind;

// Names that end an operand rather than being one.
bool IsOperatorName(std::string_view name) {
  static constexpr std::string_view kNames[] = {"and", "or", "not", "in", "is", "if", "else"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

std::vector<ExprPtr> Children(ExprPtr first) {
  std::vector<ExprPtr> children;
  children.push_back(std::move(first));
  return children;
}

}  // namespace

/// One level of recursion of the parser itself.
class ExpressionParser::Nesting {
 public:
  explicit Nesting(ExpressionParser& parser) : parser_(parser) {
    if (++parser_.nesting_ > kMaxSyntaxDepth) {
      --parser_.nesting_;
      parser_.in_.Fail(fmt::format("expressions are nested more than {} deep", kMaxSyntaxDepth));
    }
  }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
  ~Nesting() { --parser_.nesting_; }

 private:
  ExpressionParser& parser_;
};

Expr ExpressionParser::Start(Kind kind) const { return {.kind = kind, .line = in_.Peek().line}; }

ExprPtr ExpressionParser::Finish(Expr expr) const {
  for (const ExprPtr& child : expr.children) {
    if (child != nullptr) expr.depth = std::max(expr.depth, child->depth + 1);
  }
  if (expr.depth > kMaxSyntaxDepth) {
    in_.Fail(fmt::format("expressions are nested more than {} deep", kMaxSyntaxDepth));
  }
  return std::make_unique<const Expr>(std::move(expr));
}

ExprPtr ExpressionParser::Join(Kind kind, ExprPtr left, ExprPtr right, std::vector<Op> ops) const {
  Expr expr = Start(kind);
  expr.line = left->line;
  expr.ops = std::move(ops);
  expr.children.push_back(std::move(left));
  expr.children.push_back(std::move(right));
  return Finish(std::move(expr));
}

ExprPtr ExpressionParser::ParseExpression() {
  const Nesting nesting(*this);
  ExprPtr value = ParseOr();
  while (in_.TakeName("if")) {
    Expr expr = Start(Kind::kConditional);
    expr.children.push_back(ParseOr());
    expr.children.push_back(std::move(value));
    expr.children.push_back(in_.TakeName("else") ? ParseExpression() : nullptr);
    value = Finish(std::move(expr));
  }
  return value;
}

ExprPtr ExpressionParser::ParseTuple() {
  ExprPtr first = ParseExpression();
  if (!in_.SeesSymbol(",")) return first;
  Expr tuple = Start(Kind::kTuple);
  tuple.children.push_back(std::move(first));
  while (in_.TakeSymbol(",")) {
    const bool ends = in_.Sees(TokenKind::kBlockEnd) || in_.Sees(TokenKind::kPrintEnd) ||
                      in_.SeesSymbol(")") || in_.SeesSymbol("=");
    if (ends) break;
    tuple.children.push_back(ParseExpression());
  }
  return Finish(std::move(tuple));
}

ExprPtr ExpressionParser::ParseOr() {
  ExprPtr left = ParseAnd();
  while (in_.TakeName("or")) left = Join(Kind::kOr, std::move(left), ParseAnd());
  return left;
}

ExprPtr ExpressionParser::ParseAnd() {
  ExprPtr left = ParseNot();
  while (in_.TakeName("and")) left = Join(Kind::kAnd, std::move(left), ParseNot());
  return left;
}

ExprPtr ExpressionParser::ParseNot() {
  if (!in_.SeesName("not")) return ParseCompare();
  const Nesting nesting(*this);
  Expr expr = Start(Kind::kNot);
  in_.Take();
  expr.children.push_back(ParseNot());
  return Finish(std::move(expr));
}

ExprPtr ExpressionParser::ParseCompare() {
  static constexpr Spelling kSpellings[] = {{"==", Op::kEqual},  {"!=", Op::kNotEqual},
                                            {"<", Op::kLess},    {"<=", Op::kLessEqual},
                                            {">", Op::kGreater}, {">=", Op::kGreaterEqual}};
  Expr expr = Start(Kind::kCompare);
  expr.children.push_back(ParseSum());
  for (;;) {
    const auto* spelling =
        std::find_if(std::begin(kSpellings), std::end(kSpellings),
                     [&](const Spelling& candidate) { return in_.SeesSymbol(candidate.symbol); });
    if (spelling != std::end(kSpellings)) {
      in_.Take();
      expr.ops.push_back(spelling->op);
    } else if (in_.TakeName("in")) {
      expr.ops.push_back(Op::kIn);
    } else if (in_.SeesName("not") && in_.Peek(1).kind == TokenKind::kName &&
               in_.Peek(1).text == "in") {
      in_.Take();
      in_.Take();
      expr.ops.push_back(Op::kNotIn);
    } else {
      break;
    }
    expr.children.push_back(ParseSum());
  }
  if (expr.ops.empty()) return std::move(expr.children.front());
  return Finish(std::move(expr));
}

ExprPtr ExpressionParser::ParseBinary(Level operand, std::initializer_list<Spelling> spellings) {
  ExprPtr left = (this->*operand)();
  for (;;) {
    const auto* spelling =
        std::find_if(spellings.begin(), spellings.end(),
                     [&](const Spelling& candidate) { return in_.SeesSymbol(candidate.symbol); });
    if (spelling == spellings.end()) return left;
    in_.Take();
    left = Join(Kind::kBinary, std::move(left), (this->*operand)(), {spelling->op});
  }
}

ExprPtr ExpressionParser::ParseSum() {
  return ParseBinary(&ExpressionParser::ParseConcatenation,
                     {{"+", Op::kAdd}, {"-", Op::kSubtract}});
}

ExprPtr ExpressionParser::ParseConcatenation() {
  return ParseBinary(&ExpressionParser::ParseProduct, {{"~", Op::kConcatenate}});
}

ExprPtr ExpressionParser::ParseProduct() {
  return ParseBinary(
      &ExpressionParser::ParsePower,
      {{"*", Op::kMultiply}, {"/", Op::kDivide}, {"//", Op::kFloorDivide}, {"%", Op::kModulo}});
}

ExprPtr ExpressionParser::ParsePower() {
  ExprPtr left = ParseUnary(/*with_filters=*/true);
  while (in_.TakeSymbol("**")) {
    left = Join(Kind::kBinary, std::move(left), ParseUnary(/*with_filters=*/true), {Op::kPower});
  }
  return left;
}

ExprPtr ExpressionParser::ParseUnary(bool with_filters) {
  ExprPtr value;
  if (in_.SeesSymbol("-") || in_.SeesSymbol("+")) {
    const Nesting nesting(*this);
    Expr expr = Start(in_.SeesSymbol("-") ? Kind::kNegate : Kind::kPlus);
    in_.Take();
    expr.children.push_back(ParseUnary(/*with_filters=*/false));
    value = Finish(std::move(expr));
  } else {
    value = ParsePrimary();
  }
  value = ParsePostfix(std::move(value));
  return with_filters ? ParseFiltersAndTests(std::move(value)) : std::move(value);
}

ExprPtr ExpressionParser::ParsePrimary() {
  if (in_.SeesSymbol("(") || in_.SeesSymbol("[")) return ParseBrackets();
  if (in_.SeesSymbol("{")) return ParseDict();
  if (!in_.Sees(TokenKind::kName)) return ParseLiteral();
  if (IsOperatorName(in_.Peek().text)) in_.FailAtToken("a value");
  Expr expr = Start(Kind::kLiteral);
  expr.name = in_.Take().text;
  const std::string_view name = expr.name;
  if (name == "true" || name == "True") {
    expr.literal = Value::Bool(true);
  } else if (name == "false" || name == "False") {
    expr.literal = Value::Bool(false);
  } else if (name == "none" || name == "None") {
    expr.literal = Value::None();
  } else {
    expr.kind = Kind::kName;
  }
  return Finish(std::move(expr));
}

ExprPtr ExpressionParser::ParseLiteral() {
  Expr expr = Start(Kind::kLiteral);
  if (in_.Sees(TokenKind::kString)) {
    std::string text;
    while (in_.Sees(TokenKind::kString)) text += in_.Take().text;
    expr.literal = Value::String(text);
  } else if (in_.Sees(TokenKind::kInteger)) {
    const std::string digits = in_.Take().text;
    int64_t number = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec != std::errc()) {
      in_.Fail(fmt::format("the number {:.40} is too large", digits));
    }
    expr.literal = Value::Int(number);
  } else if (in_.Sees(TokenKind::kFloat)) {
    const std::string digits = in_.Take().text;
    double number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    expr.literal = Value::Float(number);
  } else {
    in_.FailAtToken("a value");
  }
  return Finish(std::move(expr));
}

ExprPtr ExpressionParser::ParseBrackets() {
  const bool list = in_.SeesSymbol("[");
  const std::string_view end = list ? "]" : ")";
  Expr expr = Start(list ? Kind::kList : Kind::kTuple);
  in_.Take();
  bool comma = list;
  while (!in_.TakeSymbol(end)) {
    if (!expr.children.empty()) {
      in_.ExpectSymbol(",");
      comma = true;
      if (in_.TakeSymbol(end)) break;
    }
    expr.children.push_back(ParseExpression());
  }
  if (!comma && expr.children.size() == 1) return std::move(expr.children.front());
  return Finish(std::move(expr));
}

ExprPtr ExpressionParser::ParseDict() {
  Expr expr = Start(Kind::kDict);
  in_.Take();
  while (!in_.TakeSymbol("}")) {
    if (!expr.children.empty()) {
      in_.ExpectSymbol(",");
      if (in_.TakeSymbol("}")) break;
    }
    expr.children.push_back(ParseExpression());
    in_.ExpectSymbol(":");
    expr.children.push_back(ParseExpression());
  }
  return Finish(std::move(expr));
}

ExprPtr ExpressionParser::ParsePostfix(ExprPtr object) {
  for (;;) {
    Expr expr = Start(Kind::kAttribute);
    if (in_.TakeSymbol(".")) {
      if (in_.Sees(TokenKind::kInteger)) {
        expr.kind = Kind::kSubscript;
        expr.children = Children(std::move(object));
        expr.children.push_back(ParseLiteral());
      } else {
        expr.name = in_.ExpectName("the name of an attribute");
        expr.children = Children(std::move(object));
      }
      object = Finish(std::move(expr));
    } else if (in_.TakeSymbol("[")) {
      object = ParseSubscript(std::move(object));
    } else if (in_.SeesSymbol("(")) {
      expr.kind = Kind::kCall;
      expr.children = Children(std::move(object));
      ParseArguments(expr);
      object = Finish(std::move(expr));
    } else {
      return object;
    }
  }
}

ExprPtr ExpressionParser::ParseSubscript(ExprPtr object) {
  Expr expr = Start(Kind::kSubscript);
  expr.children = Children(std::move(object));
  if (!in_.SeesSymbol(":")) expr.children.push_back(ParseExpression());
  if (in_.SeesSymbol(":")) {
    expr.kind = Kind::kSlice;
    expr.children.resize(2);
    for (int part = 0; part < 2 && in_.TakeSymbol(":"); ++part) {
      const bool given = !in_.SeesSymbol(":") && !in_.SeesSymbol("]");
      expr.children.push_back(given ? ParseExpression() : nullptr);
    }
    expr.children.resize(4);
  }
  in_.ExpectSymbol("]");
  return Finish(std::move(expr));
}

ExprPtr ExpressionParser::ParseFiltersAndTests(ExprPtr subject) {
  for (;;) {
    if (in_.TakeSymbol("|")) {
      subject = ParseFilter(std::move(subject));
    } else if (in_.TakeName("is")) {
      subject = ParseTest(std::move(subject));
    } else if (in_.SeesSymbol("(")) {
      subject = ParsePostfix(std::move(subject));
    } else {
      return subject;
    }
  }
}

ExprPtr ExpressionParser::ParseFilters(ExprPtr subject) {
  do {
    subject = ParseFilter(std::move(subject));
  } while (in_.TakeSymbol("|"));
  return subject;
}

ExprPtr ExpressionParser::ParseFilter(ExprPtr subject) {
  Expr expr = Start(Kind::kFilter);
  expr.name = in_.ExpectName("the name of a filter");
  expr.children = Children(std::move(subject));
  if (in_.SeesSymbol("(")) ParseArguments(expr);
  return Finish(std::move(expr));
}

ExprPtr ExpressionParser::ParseTest(ExprPtr subject) {
  Expr expr = Start(Kind::kTest);
  const bool negated = in_.TakeName("not");
  expr.name = in_.ExpectName("the name of a test");
  expr.children = Children(std::move(subject));
  const bool bare = in_.Sees(TokenKind::kString) || in_.Sees(TokenKind::kInteger) ||
                    in_.Sees(TokenKind::kFloat) || in_.SeesSymbol("[") || in_.SeesSymbol("{") ||
                    (in_.Sees(TokenKind::kName) && !IsOperatorName(in_.Peek().text));
  if (in_.SeesSymbol("(")) {
    ParseArguments(expr);
  } else if (bare) {
    // `is divisibleby 3`
    expr.children.push_back(ParsePostfix(ParsePrimary()));
  }
  ExprPtr test = Finish(std::move(expr));
  if (!negated) return test;
  Expr opposite = Start(Kind::kNot);
  opposite.children = Children(std::move(test));
  return Finish(std::move(opposite));
}

void ExpressionParser::ParseArguments(Expr& call) {
  in_.ExpectSymbol("(");
  for (bool first = true; !in_.TakeSymbol(")"); first = false) {
    if (!first) {
      in_.ExpectSymbol(",");
      if (in_.TakeSymbol(")")) return;
    }
    if (in_.SeesSymbol("*") || in_.SeesSymbol("**")) {
      in_.Fail("arguments from a list or mapping (*, **) are not supported");
    }
    const Token& next = in_.Peek(1);
    const bool keyword =
        in_.Sees(TokenKind::kName) && next.kind == TokenKind::kSymbol && next.text == "=";
    if (keyword) {
      call.keywords.push_back(in_.Take().text);
      in_.Take();
    } else if (!call.keywords.empty()) {
      in_.Fail("an argument without a name follows one with a name");
    }
    call.children.push_back(ParseExpression());
  }
}

}  // namespace litertlm::jinja
