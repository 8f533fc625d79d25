// Filters that give a string.
#include <string>

#include "jinja/filters.h"
#include "jinja/operators.h"
#include "jinja/print.h"
#include "jinja/text_ops.h"

namespace litertlm::jinja {
namespace {

Value Trim(const Value& subject, Call& call) {
  call.Bind({"chars"});
  const bool given = call.Has(0) && !call[0].is_none();
  return call.run.NewString(
      Strip(ToText(call.run, subject), given ? &call.String(0) : nullptr, Sides::kBoth));
}

template <Text (*kChange)(const Text&)>
Value Change(const Value& subject, Call& call) {
  call.Bind({});
  return call.run.NewString(kChange(ToText(call.run, subject)));
}

// Unlike the method, it begins a word only after white space, a dash or an opening bracket.
Text TitleByWords(const Text& text) {
  return Titled(text, [](char32_t before) {
    return IsSpace(before) ||
           std::u32string_view(U"-({[<").find(before) != std::u32string_view::npos;
  });
}

Value ReplaceFilter(const Value& subject, Call& call) {
  call.Bind({"old", "new", "count"}, 2);
  return call.run.NewString(Replace(call.run, ToText(call.run, subject), ToText(call.run, call[0]),
                                    ToText(call.run, call[1]),
                                    call[2].is_none() ? -1 : call.Int(2, -1)));
}

Value Join(const Value& subject, Call& call) {
  call.Bind({"d", "attribute"});
  const Text separator = call.Has(0) ? ToText(call.run, call[0]) : Text();
  Text result;
  bool first = true;
  for (const Value& item : Elements(call.run, subject)) {
    const Text text = ToText(call.run, AtPath(call.run, item, call[1]));
    call.run.Make(separator.size() + text.size());
    if (!first) result.Append(separator);
    result.Append(text);
    first = false;
  }
  return Value::String(std::move(result));
}

Value Indent(const Value& subject, Call& call) {
  call.Bind({"width", "first", "blank"});
  const Text text = ToText(call.run, subject);
  Text indention;
  if (call[0].text() != nullptr) {
    indention = *call[0].text();
  } else {
    const auto width = static_cast<size_t>(std::max<int64_t>(call.Int(0, 4), 0));
    call.run.Make(width);
    indention = Text(std::string(width, ' '), Origin::kTemplate);
  }
  // A line break at the end is followed by an empty line, which counts as the others do.
  Text padded = text;
  padded.Append("\n", Origin::kTemplate);
  const std::vector<Text> lines = SplitLines(padded);
  Text result;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) result.Append("\n", Origin::kTemplate);
    const bool indents = i == 0 ? call.Flag(1, false) : !lines[i].empty() || call.Flag(2, false);
    if (indents) {
      call.run.Make(indention.size());
      result.Append(indention);
    }
    result.Append(lines[i]);
  }
  return call.run.NewString(std::move(result));
}

Value String(const Value& subject, Call& call) {
  call.Bind({});
  return subject.text() != nullptr ? subject : call.run.NewString(ToText(call.run, subject));
}

Value Safe(const Value& subject, Call& call) {
  call.Bind({});
  return subject;
}

// For HTML.
Value Escape(const Value& subject, Call& call) {
  call.Bind({});
  Text text = ToText(call.run, subject);
  static constexpr std::string_view kEscapes[][2] = {
      {"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"'", "&#39;"}, {"\"", "&#34;"}};
  for (const auto& [plain, escaped] : kEscapes) {
    text = Replace(call.run, text, Text(plain, Origin::kTemplate), Text(escaped, Origin::kTemplate),
                   -1);
  }
  return call.run.NewString(std::move(text));
}

Value Json(const Value& subject, Call& call) {
  call.Bind({"indent", "ensure_ascii", "separators", "sort_keys"});
  JsonStyle style;
  if (call[0].text() != nullptr) {
    style.indent = std::string(call[0].text()->bytes());
  } else if (call.Has(0) && !call[0].is_none()) {
    const auto width = static_cast<size_t>(std::max<int64_t>(call.Int(0, 0), 0));
    call.run.Make(width);
    style.indent = std::string(width, ' ');
  }
  if (style.indent) style.item_separator = ",";
  if (const List* separators = call[2].list()) {
    if (separators->items.size() != 2) call.Fail("needs two separators");
    style.item_separator = ToText(call.run, separators->items[0]).bytes();
    style.key_separator = ToText(call.run, separators->items[1]).bytes();
  }
  style.ascii = call.Flag(1, false);
  style.sort_keys = call.Flag(3, false);
  return call.run.NewString(ToJson(call.run, subject, style));
}

}  // namespace

const Filters& TextFilters() {
  static const Filters kFilters = {
      {"capitalize", Change<Capitalized>},
      {"e", Escape},
      {"escape", Escape},
      {"indent", Indent},
      {"join", Join},
      {"lower", Change<Lower>},
      {"replace", ReplaceFilter},
      {"safe", Safe},
      {"string", String},
      {"title", Change<TitleByWords>},
      {"tojson", Json},
      {"trim", Trim},
      {"upper", Change<Upper>},
  };
  return kFilters;
}

}  // namespace litertlm::jinja
