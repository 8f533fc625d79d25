#include "jinja/print.h"

#include <fmt/format.h>

namespace litertlm::jinja {
namespace {

std::string FloatText(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

class Printer {
 public:
  explicit Printer(Execution& run) : run_(run) {}

  void Print(const Value& value) {
    if (const Text* text = value.text()) {
      Add(*text);
    } else if (!value.is_undefined()) {
      Show(value);
    }
  }

  // Python's repr().
  void Show(const Value& value) {
    run_.Step();
    if (const Text* text = value.text()) {
      ShowString(*text);
    } else if (const List* list = value.list()) {
      ShowList(*list);
    } else if (const Dict* dict = value.dict()) {
      ShowDict(*dict);
    } else if (const bool* boolean = value.boolean()) {
      Add(*boolean ? "True" : "False");
    } else if (const int64_t* integer = value.integer()) {
      Add(fmt::format("{}", *integer));
    } else if (const double* number = value.floating()) {
      Add(FloatText(*number));
    } else if (value.is_none()) {
      Add("None");
    } else if (value.is_undefined()) {
      Add("Undefined");
    } else {
      Add(fmt::format("<{}>", value.type_name()));
    }
  }

  Text Take() { return std::move(out_); }

 private:
  void Add(std::string_view text) {
    run_.Make(text.size());
    out_.Append(text, Origin::kTemplate);
  }
  void Add(const Text& text) {
    run_.Make(text.size());
    out_.Append(text);
  }

  void ShowString(const Text& text) {
    const std::string_view bytes = text.bytes();
    const bool doubled =
        bytes.find('\'') != std::string_view::npos && bytes.find('"') == std::string_view::npos;
    const char quote = doubled ? '"' : '\'';
    run_.Make(bytes.size() + 2);
    out_.Append(std::string_view(&quote, 1), Origin::kTemplate);
    for (size_t i = 0; i < bytes.size(); ++i) {
      const char c = bytes[i];
      std::string shown(1, c);
      if (c == '\n') {
        shown = "\\n";
      } else if (c == '\t') {
        shown = "\\t";
      } else if (c == '\r') {
        shown = "\\r";
      } else if (c == '\\' || c == quote) {
        shown = {'\\', c};
      } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        shown = fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
      out_.Append(shown, text.origin(i));
    }
    out_.Append(std::string_view(&quote, 1), Origin::kTemplate);
  }

  void ShowList(const List& list) {
    Add(list.tuple ? "(" : "[");
    for (size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) Add(", ");
      Show(list.items[i]);
    }
    if (list.tuple && list.items.size() == 1) Add(",");
    Add(list.tuple ? ")" : "]");
  }

  void ShowDict(const Dict& dict) {
    Add("{");
    for (size_t i = 0; i < dict.entries.size(); ++i) {
      if (i > 0) Add(", ");
      Show(dict.entries[i].first);
      Add(": ");
      Show(dict.entries[i].second);
    }
    Add("}");
  }

  Execution& run_;
  Text out_;
};

}  // namespace

Text ToText(Execution& run, const Value& value) {
  Printer printer(run);
  printer.Print(value);
  return printer.Take();
}

}  // namespace litertlm::jinja
