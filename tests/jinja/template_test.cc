#include "jinja/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "litertlm/error.h"
#include "tests/jinja/render.h"

namespace litertlm::jinja {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// What the comparison with other implementations (tests/conformance/jinja.mjs) leaves out, because
// they differ from Jinja2 there. The expected texts are those of Jinja2 3.1.
TEST(Template, PrintsValuesAsPythonDoes) {
  EXPECT_EQ(Rendered("{{ [1, 'a', none, true, 1.0, {'k': (1,)}] }}"),
            "[1, 'a', None, True, 1.0, {'k': (1,)}]");
  EXPECT_EQ(Rendered("{{ {'a': 'it\\'s', 'b': '\\n'} }}"), "{'a': \"it's\", 'b': '\\n'}");
  EXPECT_EQ(Rendered("{{ none }} {{ missing }} {{ 1e20 }} {{ 1e-5 }} {{ 123456789.125 }}"),
            "None  1e+20 1e-05 123456789.125");
}

TEST(Template, CalculatesAsPythonDoes) {
  EXPECT_EQ(Rendered("{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ -7.5 % 2 }} {{ 10 / 4 }}"),
            "-4 2 -2 0.5 2.5");
  EXPECT_EQ(Rendered("{{ 2 ** 3 ** 2 }} {{ 2 ** -1 }} {{ -2 ** 2 }}"), "64 0.5 4");
  EXPECT_EQ(Rendered("{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ true + true }} {{ [1, 2] < [1, 3] }}"),
            "True False 2 True");
  EXPECT_EQ(Rendered("{{ 'ab' * 3 }}{{ [1] * 2 }}{{ 'x' * -1 }}"), "ababab[1, 1]");
  EXPECT_EQ(Rendered("{{ 2.5|round }} {{ 2.675|round(2) }} {{ 7|round }}"), "2.0 2.67 7");
}

TEST(Template, AssignmentsInALoopEndWithTheIteration) {
  EXPECT_EQ(
      Rendered("{% set n = 0 %}{% for i in [1, 2] %}{% set n = n + i %}{{ n }}{% endfor %}{{ n }}"),
      "120");
}

TEST(Template, CutsStringsAsPythonDoes) {
  EXPECT_EQ(Rendered("{{ ' a  b c '.split(none, 1) }}{{ ' a b c '.rsplit(none, 1) }}"),
            "['a', 'b c '][' a b', 'c']");
  EXPECT_EQ(Rendered("{{ 'a-b-c'.rsplit('-', 1) }}{{ 'a b c'.rpartition(' ') }}"),
            "['a-b', 'c']('a b', ' ', 'c')");
  EXPECT_EQ(Rendered("{{ 'aé'.replace('', '.') }} {{ 'xxaxx'.strip('x') }}"), ".a.é. a");
  EXPECT_EQ(Rendered("{{ 'abcdef'[-1:0:-2] }} {{ 'aé€'[::-1] }} {{ [1, 2, 3][:-100:-1] }}"),
            "fdb €éa [3, 2, 1]");
  EXPECT_EQ(Rendered("{{ \"don't stop\".title() }} {{ \"don't stop\"|title }}"),
            "Don'T Stop Don't Stop");
}

TEST(Template, MacrosSeeWhereTheyAreDefined) {
  EXPECT_EQ(Rendered("{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}"),
            "2");
  EXPECT_EQ(
      Rendered("{% for i in [1, 2] %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}"),
      "12");
}

TEST(Template, TellsTheTime) {
  const Template parsed = Template::Parse("{{ strftime_now('%d %b %Y') }}", "t");
  const std::vector<Piece> pieces = parsed.Render(Value(), {}, std::time_t{86400 * 365});
  EXPECT_THAT(pieces, ElementsAre(Piece{"01 Jan 1971", Origin::kTemplate}));
}

TEST(Template, NamesItsLiterals) {
  const Template parsed = Template::Parse("<a>{{ '<b>' + x }}{% if x %}<c>{% endif %}", "t");
  EXPECT_THAT(parsed.literals(), ElementsAre("<a>", "<b>", "<c>"));
}

struct Broken {
  const char* source;
  const char* message;
};

TEST(Template, SaysWhereAndWhatIsWrong) {
  const Broken kBroken[] = {
      {"a\n{{ 1 +", "file, line 2: the template ends within a tag; '}}' is missing."},
      {"{% if x %}\nmore", "file, line 2: the template ends before 'endif'."},
      {"{% for x in y %}{% endif %}", "file, line 1: the tag 'endif' is not known."},
      {"{% endfor %}", "file, line 1: the tag 'endfor' is not known."},
      {"{{ 'open }}", "file, line 1: a string is not closed."},
      {"{# open", "file, line 1: a comment is not closed by '#}'."},
      {"{% raw %}x", "file, line 1: a raw block is not closed by endraw."},
      {"{{ (1 }}", "file, line 1: '}' closes nothing."},
      {"{{ 1 ? 2 }}", "file, line 1: '?' means nothing in a tag."},
      {"{{ 1 2 }}", "file, line 1: '}}' is expected, not '2'."},
      {"{{ }}", "file, line 1: a value is expected, not '}}'."},
      {"{% include 'x' %}", "file, line 1: the tag 'include' is not known."},
      {"{% break %}", "file, line 1: 'break' stands outside of loops."},
      {"{{ 99999999999999999999 }}", "file, line 1: the number 99999999999999999999 is too large."},
      {"\n\n{{ missing.x }}",
       "file, line 3: 'missing' is undefined, so nothing can be taken from it."},
      {"{{ a.b.c }}", "file, line 1: 'a' is undefined, so nothing can be taken from it."},
      {"{{ 'a' + 1 }}", "file, line 1: '+' cannot be used on string and integer."},
      {"{{ 1 / 0 }}", "file, line 1: a number is divided by zero."},
      {"{{ 9223372036854775807 + 1 }}", "file, line 1: a number becomes too large."},
      {"{{ (0 - 9223372036854775807 - 1) // -1 }}", "file, line 1: a number becomes too large."},
      {"{{ 1e308 * 10 }}", "file, line 1: a number becomes too large."},
      {"{{ 'x'|nothing }}", "file, line 1: the filter 'nothing' is not known."},
      {"{{ 'x' is nothing }}", "file, line 1: the test 'nothing' is not known."},
      {"{{ nothing(1) }}", "file, line 1: 'nothing' is not a function, but undefined."},
      {"{{ 'x'.nothing() }}", "file, line 1: 'a value.nothing' is not a function, but undefined."},
      {"{{ 'x'|replace('y') }}", "file, line 1: 'replace' needs 2 arguments, not 1."},
      {"{{ 'x'|trim(1, 2) }}", "file, line 1: 'trim' takes at most 1 arguments, not 2."},
      {"{{ 'x'|indent(breadth=1) }}", "file, line 1: 'indent' has no parameter 'breadth'."},
      {"{% set x.y = 1 %}", "file, line 1: 'x' is not a namespace, so 'x.y' cannot be set."},
      {"{% for a, b in [[1]] %}{% endfor %}", "file, line 1: 1 values cannot be given to 2 names."},
      {"{{ [1].append(2) }}",
       "file, line 1: 'append' would change a list; only namespaces can be changed."},
      {"{{ missing|tojson }}", "file, line 1: JSON cannot hold a undefined value."},
  };
  for (const Broken& broken : kBroken) {
    const Error error = ErrorOf(broken.source);
    EXPECT_EQ(error.message(), broken.message) << broken.source;
    EXPECT_EQ(error.code(), ErrorCode::kBadInput) << broken.source;
  }
}

TEST(Template, PassesOnTheTemplatesOwnRefusal) {
  const Error error = ErrorOf("\n{{ raise_exception('No system ' ~ 'messages.') }}");
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("line 2"));
  EXPECT_THAT(error.message(), HasSubstr("No system messages."));
}

}  // namespace
}  // namespace litertlm::jinja
