#include <fmt/format.h>

#include "jinja/execution.h"
#include "jinja/parser.h"

namespace litertlm::jinja {
namespace {

std::string Describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::kData:
      return "text";
    case TokenKind::kBlockBegin:
      return "'{%'";
    case TokenKind::kBlockEnd:
      return "'%}'";
    case TokenKind::kPrintBegin:
      return "'{{'";
    case TokenKind::kPrintEnd:
      return "'}}'";
    case TokenKind::kString:
      return "a string";
    case TokenKind::kEnd:
      return "the end of the template";
    case TokenKind::kName:
    case TokenKind::kInteger:
    case TokenKind::kFloat:
    case TokenKind::kSymbol:
      return fmt::format("'{:.40}'", token.text);
  }
  return "";
}

}  // namespace

TokenReader::TokenReader(std::vector<Token> tokens, std::string_view where)
    : tokens_(std::move(tokens)), where_(where) {}

void TokenReader::Fail(std::string_view what) const { FailAt(where_, Peek().line, what); }

void TokenReader::FailAtToken(std::string_view wanted) const {
  Fail(fmt::format("{} is expected, not {}", wanted, Describe(Peek())));
}

const Token& TokenReader::Peek(size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

bool TokenReader::SeesSymbol(std::string_view symbol) const {
  return Sees(TokenKind::kSymbol) && Peek().text == symbol;
}

bool TokenReader::SeesName(std::string_view name) const {
  return Sees(TokenKind::kName) && Peek().text == name;
}

Token TokenReader::Take() {
  Token token = Peek();
  if (token.kind != TokenKind::kEnd) ++at_;
  return token;
}

bool TokenReader::TakeSymbol(std::string_view symbol) {
  if (!SeesSymbol(symbol)) return false;
  ++at_;
  return true;
}

bool TokenReader::TakeName(std::string_view name) {
  if (!SeesName(name)) return false;
  ++at_;
  return true;
}

void TokenReader::Expect(TokenKind kind, std::string_view spelling) {
  if (!Sees(kind)) FailAtToken(spelling);
  Take();
}

void TokenReader::ExpectSymbol(std::string_view symbol) {
  if (!TakeSymbol(symbol)) FailAtToken(fmt::format("'{}'", symbol));
}

std::string TokenReader::ExpectName(std::string_view what) {
  if (!Sees(TokenKind::kName)) FailAtToken(what);
  return Take().text;
}

}  // namespace litertlm::jinja
