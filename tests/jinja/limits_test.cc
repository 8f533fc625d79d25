// A template comes from a file. Whatever it asks for, it ends soon, with a sentence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/jinja/render.h"

namespace litertlm::jinja {
namespace {

using testing::HasSubstr;

std::string Repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

TEST(Limits, EndlessWorkEnds) {
  const char* const kEndless[] = {
      "{% for i in range(99999999999) %}{% endfor %}",
      "{% for i in range(3000) %}{% for j in range(3000) %}{% endfor %}{% endfor %}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% macro m(n) %}{% for i in [1, 2] %}{{ m(n) }}{% endfor %}{% endmacro %}{{ m(1) }}",
      "{{ 'x' * 99999999999 }}",
      "{{ [1] * 99999999999 }}",
      "{{ 'a'|indent(99999999999, true) }}",
      "{{ [1]|tojson(indent=99999999999) }}",
      "{{ 'a'.replace('', 'b' * 9999999) * 99 }}",
      "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
      "{% set n = namespace(l=[1]) %}{% for i in range(60) %}{% set n.l = n.l + n.l %}{% endfor %}",
      "{% for i in range(9999) %}{{ 'x' * 9999 }}{% endfor %}",
      // Each list holds the one before twice: to look at all takes 2^90 steps.
      "{% set n = namespace(l=[]) %}{% for i in range(90) %}{% set n.l = [n.l, n.l] %}{% endfor %}"
      "{{ n.l == [n.l] + [n.l] }}{{ n.l|tojson }}",
      "{% set n = namespace(l=[]) %}{% for i in range(90) %}{% set n.l = [n.l, n.l] %}{% endfor %}"
      "{{ n.l }}",
      "{{ ('a' * 4000000).rfind('a' * 2000000 + 'b') }}{% for i in range(999999) %}"
      "{{ ('a' * 100000).rsplit('a' * 50000 + 'b') }}{% endfor %}",
  };
  for (const char* source : kEndless) {
    EXPECT_EQ(ErrorOf(source).code(), ErrorCode::kBadInput) << source;
  }
}

TEST(Limits, AreTold) {
  const std::string loop = "{% for i in range(100) %}{{ i }}{% endfor %}";
  EXPECT_THAT(ErrorOf(loop, {}, {.steps = 50}).message(), HasSubstr("more than 50 steps"));
  EXPECT_THAT(ErrorOf(loop, {}, {.output = 20}).message(), HasSubstr("more than 20 bytes"));
  EXPECT_THAT(ErrorOf("{{ 'x' * 2000000 }}", {}, {.bytes = 1 << 20}).message(), HasSubstr("1 MiB"));
}

TEST(Limits, DeepTemplatesAreRefused) {
  for (const auto& [open, close] : {std::pair("(", ")"), {"[", "]"}, {"-", ""}, {"not ", ""}}) {
    EXPECT_THAT(
        ErrorOf("{{ " + Repeat(open, 100000) + "1" + Repeat(close, 100000) + " }}").message(),
        HasSubstr("nested"));
  }
  EXPECT_THAT(ErrorOf("{{ 1" + Repeat(" + 1", 100000) + " }}").message(), HasSubstr("nested"));
  EXPECT_THAT(ErrorOf("{{ x" + Repeat(".x", 100000) + " }}").message(), HasSubstr("nested"));
  EXPECT_THAT(ErrorOf("{{ x" + Repeat("|trim", 100000) + " }}").message(), HasSubstr("nested"));
  EXPECT_THAT(ErrorOf(Repeat("{% if 1 %}", 100000)).message(), HasSubstr("nested"));
  EXPECT_EQ(Rendered("{{ 0" + Repeat(" + 1", 100) + " }}"), "100");
}

TEST(Limits, DeepValuesAreRefused) {
  const char* const kDeep[] = {
      "{% set n = namespace(l=[]) %}{% for i in range(99999) %}{% set n.l = [n.l] %}{% endfor %}",
      "{% set n = namespace(l={}) %}{% for i in range(99999) %}{% set n.l = {'a': n.l} %}{% endfor "
      "%}",
      "{% set n = namespace(l={}) %}{% for i in range(99999) %}{% set n.l = {'a': n.l.get} %}{% "
      "endfor %}",
      "{% set n = namespace(l=[1]) %}{% for i in range(99999) %}{% for x in n.l %}"
      "{% set n.l = [loop] %}{% endfor %}{% endfor %}",
  };
  for (const char* source : kDeep) {
    EXPECT_THAT(ErrorOf(source).message(), HasSubstr("levels deep")) << source;
  }
}

TEST(Limits, AMacroDoesNotOutliveItsScope) {
  const Error error = ErrorOf(
      "{% set n = namespace() %}{% for i in [1] %}{% macro m() %}{{ i }}{% endmacro %}"
      "{% set n.m = m %}{% endfor %}{{ n.m() }}");
  EXPECT_THAT(error.message(), HasSubstr("'m' is called outside of where it is defined"));
}

TEST(Limits, ANamespaceMayHoldItself) {
  EXPECT_EQ(Rendered("{% set n = namespace(x=1) %}{% set n.n = n %}{% set n.l = [n] %}"
                     "{{ n.n.n.x }}{{ n.l[0] == n }}{{ n.l }}"),
            "1True[<namespace>]");
}

}  // namespace
}  // namespace litertlm::jinja
