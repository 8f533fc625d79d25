#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/utf8.h"
#include "jinja/methods.h"
#include "jinja/operators.h"
#include "jinja/text_ops.h"

namespace litertlm::jinja {
namespace {

template <Sides kSides>
Value StripMethod(const Value& self, Call& call) {
  call.Bind({"chars"});
  const bool given = call.Has(0) && !call[0].is_none();
  return call.run.NewString(Strip(*self.text(), given ? &call.String(0) : nullptr, kSides));
}

Value TextList(Execution& run, std::vector<Text> texts) {
  std::vector<Value> items;
  for (Text& text : texts) items.push_back(run.NewString(std::move(text)));
  return run.NewList(std::move(items));
}

template <bool kFromRight>
Value SplitMethod(const Value& self, Call& call) {
  call.Bind({"sep", "maxsplit"});
  const bool given = call.Has(0) && !call[0].is_none();
  return TextList(call.run, Split(call.run, *self.text(), given ? &call.String(0) : nullptr,
                                  call.Int(1, -1), kFromRight));
}

Value SplitLinesMethod(const Value& self, Call& call) {
  call.Bind({});
  call.run.Make(self.text()->size() * sizeof(Text) / 8);
  return TextList(call.run, SplitLines(*self.text()));
}

template <bool kFromRight>
Value Partition(const Value& self, Call& call) {
  call.Bind({"sep"}, 1);
  const Text& text = *self.text();
  const std::vector<Text> pieces = Split(call.run, text, &call.String(0), 1, kFromRight);
  std::vector<Text> parts = {text, Text(), Text()};
  if (pieces.size() == 2) {
    parts = {pieces[0], call.String(0), pieces[1]};
  } else if (kFromRight) {
    std::swap(parts[0], parts[2]);
  }
  std::vector<Value> items;
  for (Text& part : parts) items.push_back(call.run.NewString(std::move(part)));
  return call.run.NewTuple(std::move(items));
}

// The argument is a string or a tuple of them.
template <bool kAtEnd>
Value HasAffix(const Value& self, Call& call) {
  call.Bind({"affix"}, 1);
  const std::vector<Value> affixes =
      call[0].list() != nullptr ? call[0].list()->items : std::vector<Value>{call[0]};
  call.run.Step(affixes.size());
  return Value::Bool(std::any_of(affixes.begin(), affixes.end(), [&](const Value& affix) {
    if (affix.text() == nullptr) call.Fail("needs a string");
    const std::string_view bytes = self.text()->bytes();
    return kAtEnd ? bytes.ends_with(affix.text()->bytes())
                  : bytes.starts_with(affix.text()->bytes());
  }));
}

template <bool kAtEnd>
Value RemoveAffix(const Value& self, Call& call) {
  call.Bind({"affix"}, 1);
  const Text& text = *self.text();
  const std::string_view affix = call.String(0).bytes();
  if (kAtEnd && text.bytes().ends_with(affix)) {
    return call.run.NewString(text.Sub(0, text.size() - affix.size()));
  }
  if (!kAtEnd && text.bytes().starts_with(affix)) {
    return call.run.NewString(text.Sub(affix.size()));
  }
  return self;
}

Value ReplaceMethod(const Value& self, Call& call) {
  call.Bind({"old", "new", "count"}, 2);
  return call.run.NewString(
      Replace(call.run, *self.text(), call.String(0), call.String(1), call.Int(2, -1)));
}

template <Text (*kChange)(const Text&)>
Value ChangeMethod(const Value& self, Call& call) {
  call.Bind({});
  return call.run.NewString(kChange(*self.text()));
}

Text Title(const Text& text) {
  return Titled(text, [](char32_t before) { return !IsLetter(before); });
}

Value JoinMethod(const Value& self, Call& call) {
  call.Bind({"items"}, 1);
  Text result;
  bool first = true;
  for (const Value& item : Elements(call.run, call[0])) {
    if (item.text() == nullptr) call.Fail(fmt::format("meets a {}", item.type_name()));
    call.run.Make(self.text()->size() + item.text()->size());
    if (!first) result.Append(*self.text());
    result.Append(*item.text());
    first = false;
  }
  return Value::String(std::move(result));
}

// In characters; -1 where it is not found.
int64_t Position(const Value& self, Call& call, bool from_right) {
  call.Bind({"part"}, 1);
  const Text& text = *self.text();
  const std::string_view part = call.String(0).bytes();
  call.run.Step(1 + (text.size() / 64 + 1) * (from_right ? part.size() / 64 + 1 : 1));
  const size_t found = from_right ? text.bytes().rfind(part) : FindBytes(text.bytes(), part);
  if (found == std::string::npos) return -1;
  return static_cast<int64_t>(CharacterStarts(text.Sub(0, found)).size()) - 1;
}

template <bool kFromRight>
Value Find(const Value& self, Call& call) {
  return Value::Int(Position(self, call, kFromRight));
}

Value Index(const Value& self, Call& call) {
  const int64_t position = Position(self, call, false);
  if (position < 0) call.Fail("does not find the part in the string");
  return Value::Int(position);
}

Value Count(const Value& self, Call& call) {
  call.Bind({"part"}, 1);
  const Text& text = *self.text();
  const Text& part = call.String(0);
  if (part.empty()) return Value::Int(static_cast<int64_t>(CharacterStarts(text).size()));
  return Value::Int(static_cast<int64_t>(Split(call.run, text, &part, -1).size()) - 1);
}

// Python's is…(): true if there are characters and all of them are of the kind.
template <bool (*kIs)(char32_t)>
Value AllAre(const Value& self, Call& call) {
  call.Bind({});
  const std::string_view bytes = self.text()->bytes();
  for (size_t i = 0; i < bytes.size();) {
    const Utf8Char c = DecodeUtf8(bytes, i);
    if (!kIs(c.code)) return Value::Bool(false);
    i += c.length;
  }
  return Value::Bool(!bytes.empty());
}

// islower() and isupper() look only at letters that have two cases, and want one of them.
template <bool (*kIs)(char32_t), bool (*kIsOpposite)(char32_t)>
Value CasedAre(const Value& self, Call& call) {
  call.Bind({});
  bool any = false;
  const std::string_view bytes = self.text()->bytes();
  for (size_t i = 0; i < bytes.size();) {
    const Utf8Char c = DecodeUtf8(bytes, i);
    if (kIsOpposite(c.code)) return Value::Bool(false);
    any = any || kIs(c.code);
    i += c.length;
  }
  return Value::Bool(any);
}

bool IsDigit(char32_t code) { return code >= '0' && code <= '9'; }
bool IsAlphanumeric(char32_t code) { return IsLetter(code) || IsDigit(code); }

}  // namespace

Method FindTextMethod(std::string_view name) {
  static const std::map<std::string_view, Method> kMethods = {
      {"capitalize", ChangeMethod<Capitalized>},
      {"count", Count},
      {"endswith", HasAffix<true>},
      {"find", Find<false>},
      {"index", Index},
      {"isalnum", AllAre<IsAlphanumeric>},
      {"isalpha", AllAre<IsLetter>},
      {"isdigit", AllAre<IsDigit>},
      {"islower", CasedAre<IsLower, IsUpper>},
      {"isspace", AllAre<IsSpace>},
      {"isupper", CasedAre<IsUpper, IsLower>},
      {"join", JoinMethod},
      {"lower", ChangeMethod<Lower>},
      {"lstrip", StripMethod<Sides::kLeft>},
      {"partition", Partition<false>},
      {"removeprefix", RemoveAffix<false>},
      {"removesuffix", RemoveAffix<true>},
      {"replace", ReplaceMethod},
      {"rfind", Find<true>},
      {"rpartition", Partition<true>},
      {"rsplit", SplitMethod<true>},
      {"rstrip", StripMethod<Sides::kRight>},
      {"split", SplitMethod<false>},
      {"splitlines", SplitLinesMethod},
      {"startswith", HasAffix<false>},
      {"strip", StripMethod<Sides::kBoth>},
      {"title", ChangeMethod<Title>},
      {"upper", ChangeMethod<Upper>},
  };
  const auto found = kMethods.find(name);
  return found != kMethods.end() ? found->second : nullptr;
}

}  // namespace litertlm::jinja
