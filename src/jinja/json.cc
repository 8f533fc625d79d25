#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "jinja/print.h"

namespace litertlm::jinja {
namespace {

class JsonWriter {
 public:
  JsonWriter(Execution& run, const JsonStyle& style) : run_(run), style_(style) {}

  void Write(const Value& value) {
    run_.Step();
    if (const Text* text = value.text()) {
      WriteString(*text);
    } else if (const List* list = value.list()) {
      WriteList(*list);
    } else if (const Dict* dict = value.dict()) {
      WriteDict(*dict);
    } else if (const bool* boolean = value.boolean()) {
      Add(*boolean ? "true" : "false");
    } else if (value.is_none()) {
      Add("null");
    } else if (value.number()) {
      const Text number = ToText(run_, value);
      Add(number.bytes());
    } else {
      run_.Fail(fmt::format("JSON cannot hold a {}", value.type_name()));
    }
  }

  Text Take() { return std::move(out_); }

 private:
  void Add(std::string_view text) {
    run_.Make(text.size());
    out_.Append(text, Origin::kTemplate);
  }

  void WriteString(const Text& text) {
    Add("\"");
    const std::string_view bytes = text.bytes();
    for (size_t i = 0; i < bytes.size();) {
      const Utf8Char c = DecodeUtf8(bytes, i);
      const std::string escaped = Escape(c.code, bytes.substr(i, c.length));
      run_.Make(escaped.size());
      out_.Append(escaped, text.origin(i));
      i += c.length;
    }
    Add("\"");
  }

  std::string Escape(char32_t code, std::string_view bytes) const {
    static constexpr std::string_view kSpecial = "\"\\\n\r\t\b\f";
    static constexpr std::string_view kLetters = "\"\\nrtbf";
    if (code < 0x80) {
      const size_t letter = kSpecial.find(static_cast<char>(code));
      if (letter != std::string_view::npos) return {'\\', kLetters[letter]};
    }
    if (code >= 0x20 && (!style_.ascii || code < 0x7F)) return std::string(bytes);
    const auto number = static_cast<uint32_t>(code);
    if (number < 0x10000) return fmt::format("\\u{:04x}", number);
    return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((number - 0x10000) >> 10),
                       0xDC00 + ((number - 0x10000) & 0x3FF));
  }

  void WriteList(const List& list) {
    if (list.items.empty()) return Add("[]");
    Add("[");
    ++level_;
    for (size_t i = 0; i < list.items.size(); ++i) {
      BeginItem(i);
      Write(list.items[i]);
    }
    --level_;
    BreakLine();
    Add("]");
  }

  void WriteDict(const Dict& dict) {
    if (dict.entries.empty()) return Add("{}");
    std::vector<std::pair<Text, const Value*>> members;
    for (const auto& [key, value] : dict.entries) members.emplace_back(KeyText(key), &value);
    if (style_.sort_keys) {
      run_.Step(members.size() * 16);
      std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
        return a.first.bytes() < b.first.bytes();
      });
    }
    Add("{");
    ++level_;
    for (size_t i = 0; i < members.size(); ++i) {
      BeginItem(i);
      WriteString(members[i].first);
      Add(style_.key_separator);
      Write(*members[i].second);
    }
    --level_;
    BreakLine();
    Add("}");
  }

  Text KeyText(const Value& key) {
    if (key.text() != nullptr) return *key.text();
    JsonWriter writer(run_, style_);
    writer.Write(key);
    return writer.Take();
  }

  void BeginItem(size_t i) {
    if (i > 0) Add(style_.item_separator);
    BreakLine();
  }

  void BreakLine() {
    if (!style_.indent) return;
    Add("\n");
    for (int i = 0; i < level_; ++i) Add(*style_.indent);
  }

  Execution& run_;
  const JsonStyle& style_;
  int level_ = 0;
  Text out_;
};

}  // namespace

Text ToJson(Execution& run, const Value& value, const JsonStyle& style) {
  JsonWriter writer(run, style);
  writer.Write(value);
  return writer.Take();
}

}  // namespace litertlm::jinja
