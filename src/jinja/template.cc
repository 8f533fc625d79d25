#include "jinja/template.h"

#include <utility>

#include "jinja/ast.h"
#include "jinja/execution.h"
#include "jinja/interpreter.h"
#include "jinja/lexer.h"
#include "jinja/parser.h"

namespace litertlm::jinja {

struct Template::Parsed {
  std::string where;
  std::vector<std::string> literals;
  Block block;
};

Template Template::Parse(std::string_view source, std::string where) {
  auto parsed = std::make_shared<Parsed>();
  parsed->where = std::move(where);
  std::vector<Token> tokens = Lex(source, parsed->where);
  for (const Token& token : tokens) {
    const bool literal = token.kind == TokenKind::kData || token.kind == TokenKind::kString;
    if (literal) parsed->literals.push_back(token.text);
  }
  parsed->block = jinja::Parse(std::move(tokens), parsed->where);
  return Template(std::move(parsed));
}

std::vector<Piece> Template::Render(const Value& context, const Limits& limits,
                                    std::optional<std::time_t> now) const {
  Execution run(parsed_->where, limits, now.value_or(std::time(nullptr)));
  const Dict empty{};
  Interpreter interpreter(run, context.dict() != nullptr ? *context.dict() : empty);
  return interpreter.Render(parsed_->block).Pieces();
}

const std::vector<std::string>& Template::literals() const { return parsed_->literals; }

}  // namespace litertlm::jinja
