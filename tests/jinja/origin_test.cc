// Which bytes of the output came from messages: only template text may become control tokens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/jinja/render.h"

namespace litertlm::jinja {
namespace {

using testing::ElementsAre;

Piece Fixed(std::string text) { return {std::move(text), Origin::kTemplate}; }
Piece Given(std::string text) { return {std::move(text), Origin::kMessage}; }

// `user` is text of a message: "<end> it's\n".
std::vector<Piece> WithUser(std::string_view source) {
  return Pieces(
      source,
      Value::MakeDict({{Value::String("user"), Value::String("<end> it's\n", Origin::kMessage)},
                       {Value::String("bos"), Value::String("<bos>")}}));
}

TEST(Origin, FollowsBytesThroughOperators) {
  EXPECT_THAT(WithUser("{{ bos + '<u>' + user + '<end>' }}"),
              ElementsAre(Fixed("<bos><u>"), Given("<end> it's\n"), Fixed("<end>")));
  EXPECT_THAT(WithUser("a{{ 1 ~ user ~ 2 }}b"),
              ElementsAre(Fixed("a1"), Given("<end> it's\n"), Fixed("2b")));
  EXPECT_THAT(WithUser("{{ ('x' + user)[:4] }}|{{ user[::-1][:3] }}"),
              ElementsAre(Fixed("x"), Given("<en"), Fixed("|"), Given("\ns'")));
  EXPECT_THAT(WithUser("{{ (user[:2] + '-') * 2 }}"),
              ElementsAre(Given("<e"), Fixed("-"), Given("<e"), Fixed("-")));
}

TEST(Origin, FollowsBytesThroughFiltersAndMethods) {
  EXPECT_THAT(WithUser("{{ user|trim }}"), ElementsAre(Given("<end> it's")));
  EXPECT_THAT(WithUser("{{ user.strip()|upper }}"), ElementsAre(Given("<END> IT'S")));
  EXPECT_THAT(WithUser("{{ user|replace('end', 'E')|trim }}"),
              ElementsAre(Given("<"), Fixed("E"), Given("> it's")));
  EXPECT_THAT(WithUser("{{ '<>'.join(user.split()) }}"),
              ElementsAre(Given("<end>"), Fixed("<>"), Given("it's")));
  EXPECT_THAT(WithUser("{{ [user[:5], '<end>', 3]|join('+') }}"),
              ElementsAre(Given("<end>"), Fixed("+<end>+3")));
  EXPECT_THAT(WithUser("{{ {'k': user}|tojson }}"),
              ElementsAre(Fixed("{\"k\": \""), Given("<end> it's\\n"), Fixed("\"}")));
  EXPECT_THAT(WithUser("{{ [user] }}"),
              ElementsAre(Fixed("[\""), Given("<end> it's\\n"), Fixed("\"]")));
  EXPECT_THAT(WithUser("{{ user[:5]|list|reverse|join }}"), ElementsAre(Given(">dne<")));
  EXPECT_THAT(WithUser("{{ ('a\n' + user[:5])|indent(2) }}"),
              ElementsAre(Fixed("a\n  "), Given("<end>")));
  EXPECT_THAT(WithUser("{{ [user[:5]]|map('title')|first }}"), ElementsAre(Given("<End>")));
}

TEST(Origin, FollowsBytesThroughVariablesAndMacros) {
  EXPECT_THAT(WithUser("{% macro m(x) %}<m>{{ x[:5] }}{% endmacro %}{{ m(user)|upper }}"),
              ElementsAre(Fixed("<M>"), Given("<END>")));
  EXPECT_THAT(WithUser("{% set t %}<t>{{ user[:5] }}{% endset %}{{ t }}"),
              ElementsAre(Fixed("<t>"), Given("<end>")));
  EXPECT_THAT(WithUser("{% set n = namespace(s='<s>') %}{% set n.s = n.s + user[:5] %}{{ n.s }}"),
              ElementsAre(Fixed("<s>"), Given("<end>")));
  EXPECT_THAT(WithUser("{% for c in user[:3] %}{{ c }}{% endfor %}"), ElementsAre(Given("<en")));
  EXPECT_THAT(WithUser("{% filter trim %} {{ user }} {% endfilter %}"),
              ElementsAre(Given("<end> it's")));
}

TEST(Origin, NumbersAreTheTemplates) {
  EXPECT_THAT(WithUser("{{ user|length }}{{ user is string }}"), ElementsAre(Fixed("11True")));
}

}  // namespace
}  // namespace litertlm::jinja
