#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jinja/limits.h"
#include "jinja/parser.h"

namespace litertlm::jinja {
namespace {

using Kind = Statement::Kind;

class StatementParser {
 public:
  StatementParser(std::vector<Token> tokens, std::string_view where)
      : in_(std::move(tokens), where), expressions_(in_) {}

  Block ParseAll() {
    Block block = ParseUntil({});
    if (!in_.Sees(TokenKind::kEnd)) FailAtStray();
    return block;
  }

 private:
  [[noreturn]] void FailAtStray() {
    in_.Fail(fmt::format("'{:.40}' does not belong here", in_.Peek(1).text));
  }

  Statement Start(Kind kind) const { return {.kind = kind, .line = in_.Peek().line}; }

  // Statements up to a block tag that begins with one of `ends`, which is not taken.
  Block ParseUntil(std::initializer_list<std::string_view> ends) {
    if (++nesting_ > kMaxSyntaxDepth) {
      in_.Fail(fmt::format("blocks are nested more than {} deep", kMaxSyntaxDepth));
    }
    Block block;
    while (!in_.Sees(TokenKind::kEnd)) {
      if (in_.Sees(TokenKind::kData)) {
        Statement data = Start(Kind::kData);
        data.data = Value::String(in_.Take().text);
        block.push_back(std::move(data));
      } else if (in_.Sees(TokenKind::kPrintBegin)) {
        in_.Take();
        Statement print = Start(Kind::kPrint);
        print.exprs.push_back(expressions_.ParseTuple());
        in_.Expect(TokenKind::kPrintEnd, "'}}'");
        block.push_back(std::move(print));
      } else {
        const Token& tag = in_.Peek(1);
        if (tag.kind != TokenKind::kName) in_.Fail("a tag has no name");
        if (std::find(ends.begin(), ends.end(), tag.text) != ends.end()) break;
        in_.Take();
        block.push_back(ParseTag());
      }
    }
    --nesting_;
    return block;
  }

  void EndTag() { in_.Expect(TokenKind::kBlockEnd, "'%}'"); }

  // A body up to {% end %}, which is taken.
  Block ParseBody(std::string_view end) {
    EndTag();
    Block body = ParseUntil({end});
    TakeEnd(end);
    return body;
  }

  void TakeEnd(std::string_view end) {
    if (in_.Sees(TokenKind::kEnd)) {
      in_.Fail(fmt::format("the template ends before '{}'", end));
    }
    in_.Take();
    in_.Take();
    EndTag();
  }

  // Loops around a macro's definition are none of its body's business.
  Block ParseBodyOutsideLoops(std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    Block body = ParseBody(end);
    loops_ = loops;
    return body;
  }

  Statement ParseTag() {
    if (in_.SeesName("if")) return ParseIf();
    if (in_.SeesName("for")) return ParseFor();
    if (in_.SeesName("set")) return ParseSet();
    if (in_.SeesName("macro")) return ParseMacro();
    if (in_.SeesName("call")) return ParseCallBlock();
    if (in_.SeesName("filter")) return ParseFilterBlock();
    if (in_.SeesName("with")) return ParseWith();
    if (in_.SeesName("generation")) return ParseGeneration();
    if (in_.SeesName("break") || in_.SeesName("continue")) return ParseJump();
    in_.Fail(fmt::format("the tag '{:.40}' is not known", in_.Peek().text));
  }

  Statement ParseIf() {
    Statement statement = Start(Kind::kIf);
    do {
      in_.Take();
      statement.exprs.push_back(expressions_.ParseTuple());
      EndTag();
      statement.blocks.push_back(ParseUntil({"elif", "else", "endif"}));
      if (in_.Sees(TokenKind::kEnd)) TakeEnd("endif");
      if (in_.Peek(1).text == "elif") in_.Take();
    } while (in_.SeesName("elif"));
    ParseElse(statement, "endif");
    return statement;
  }

  void ParseElse(Statement& statement, std::string_view end) {
    if (in_.Sees(TokenKind::kBlockBegin) && in_.Peek(1).text == "else") {
      in_.Take();
      in_.Take();
      EndTag();
      statement.blocks.push_back(ParseUntil({end}));
    }
    TakeEnd(end);
  }

  Statement ParseFor() {
    Statement statement = Start(Kind::kFor);
    in_.Take();
    statement.targets.push_back(ParseTarget());
    if (!in_.TakeName("in")) in_.FailAtToken("'in'");
    ExprPtr items = expressions_.ParseOr();
    if (in_.SeesSymbol(",")) {
      Expr tuple = expressions_.Start(Expr::Kind::kTuple);
      tuple.children.push_back(std::move(items));
      while (in_.TakeSymbol(",")) tuple.children.push_back(expressions_.ParseOr());
      items = expressions_.Finish(std::move(tuple));
    }
    statement.exprs.push_back(std::move(items));
    statement.exprs.push_back(in_.TakeName("if") ? expressions_.ParseExpression() : nullptr);
    if (in_.SeesName("recursive")) in_.Fail("recursive loops are not supported");
    EndTag();
    ++loops_;
    statement.blocks.push_back(ParseUntil({"else", "endfor"}));
    --loops_;
    ParseElse(statement, "endfor");
    return statement;
  }

  Target ParseTarget() {
    Target target;
    const bool bracket = in_.TakeSymbol("(");
    target.names.push_back(in_.ExpectName("the name of a variable"));
    if (!bracket && in_.TakeSymbol(".")) {
      target.attribute = in_.ExpectName("a name in the namespace");
      return target;
    }
    while (in_.TakeSymbol(",")) {
      target.unpack = true;
      if (!in_.Sees(TokenKind::kName) || in_.SeesName("in")) break;
      target.names.push_back(in_.ExpectName("the name of a variable"));
    }
    if (bracket) in_.ExpectSymbol(")");
    return target;
  }

  Statement ParseSet() {
    Statement statement = Start(Kind::kSet);
    in_.Take();
    statement.targets.push_back(ParseTarget());
    if (in_.TakeSymbol("=")) {
      statement.exprs.push_back(expressions_.ParseTuple());
      EndTag();
    } else {
      statement.kind = Kind::kSetBlock;
      statement.exprs.push_back(in_.TakeSymbol("|") ? ParseFilters() : nullptr);
      statement.blocks.push_back(ParseBodyOutsideLoops("endset"));
    }
    return statement;
  }

  ExprPtr ParseFilters() {
    Expr captured = expressions_.Start(Expr::Kind::kName);
    captured.name = kCaptured;
    return expressions_.ParseFilters(expressions_.Finish(std::move(captured)));
  }

  std::vector<Parameter> ParseParameters() {
    std::vector<Parameter> parameters;
    in_.ExpectSymbol("(");
    while (!in_.TakeSymbol(")")) {
      if (!parameters.empty()) {
        in_.ExpectSymbol(",");
        if (in_.TakeSymbol(")")) break;
      }
      Parameter parameter;
      parameter.name = in_.ExpectName("the name of a parameter");
      if (in_.TakeSymbol("=")) parameter.fallback = expressions_.ParseExpression();
      parameters.push_back(std::move(parameter));
    }
    return parameters;
  }

  Statement ParseMacro() {
    Statement statement = Start(Kind::kMacro);
    in_.Take();
    statement.name = in_.ExpectName("the name of the macro");
    statement.parameters = ParseParameters();
    statement.blocks.push_back(ParseBodyOutsideLoops("endmacro"));
    return statement;
  }

  Statement ParseCallBlock() {
    Statement statement = Start(Kind::kCall);
    in_.Take();
    if (in_.SeesSymbol("(")) statement.parameters = ParseParameters();
    statement.exprs.push_back(expressions_.ParseExpression());
    if (statement.exprs.back()->kind != Expr::Kind::kCall) in_.FailAtToken("a call of a macro");
    statement.blocks.push_back(ParseBodyOutsideLoops("endcall"));
    return statement;
  }

  Statement ParseFilterBlock() {
    Statement statement = Start(Kind::kFilter);
    in_.Take();
    statement.exprs.push_back(ParseFilters());
    statement.blocks.push_back(ParseBodyOutsideLoops("endfilter"));
    return statement;
  }

  Statement ParseWith() {
    Statement statement = Start(Kind::kScope);
    in_.Take();
    while (!in_.Sees(TokenKind::kBlockEnd)) {
      if (!statement.targets.empty()) in_.ExpectSymbol(",");
      Target target;
      target.names.push_back(in_.ExpectName("the name of a variable"));
      statement.targets.push_back(std::move(target));
      in_.ExpectSymbol("=");
      statement.exprs.push_back(expressions_.ParseExpression());
    }
    statement.blocks.push_back(ParseBody("endwith"));
    return statement;
  }

  // Marks a reply for training; for rendering it is only a body.
  Statement ParseGeneration() {
    Statement statement = Start(Kind::kScope);
    in_.Take();
    statement.blocks.push_back(ParseBody("endgeneration"));
    return statement;
  }

  Statement ParseJump() {
    Statement statement = Start(in_.SeesName("break") ? Kind::kBreak : Kind::kContinue);
    if (loops_ == 0) in_.Fail(fmt::format("'{}' stands outside of loops", in_.Peek().text));
    in_.Take();
    EndTag();
    return statement;
  }

  TokenReader in_;
  ExpressionParser expressions_;
  int nesting_ = 0;
  int loops_ = 0;
};

}  // namespace

Block Parse(std::vector<Token> tokens, std::string_view where) {
  return StatementParser(std::move(tokens), where).ParseAll();
}

}  // namespace litertlm::jinja
