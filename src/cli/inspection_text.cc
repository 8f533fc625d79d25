// The report of `inspect` as text.
#include <fmt/format.h>

#include "base/units.h"
#include "cli/inspection.h"

namespace litertlm {
namespace {

std::string Plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : DumpJson(value);
}

void FormatItems(const Json& items, std::string_view indent, std::string& text) {
  for (const auto& [key, value] : items.items()) {
    text += fmt::format("{}{} = {}\n", indent, key, Plain(value));
  }
}

void FormatMetadata(const Json& metadata, std::string& text) {
  for (const auto& [key, value] : metadata.items()) {
    if (key == "jinja_prompt_template") {
      text += fmt::format("    {}: {} bytes\n", key, value.get_ref<const std::string&>().size());
    } else if (key == "prompt_templates") {
      for (const auto& [role, affixes] : value.items()) {
        text += fmt::format("    {}: {} … {}\n", role, DumpJson(affixes["prefix"]),
                            DumpJson(affixes["suffix"]));
      }
    } else {
      text += fmt::format("    {}: {}\n", key, Plain(value));
    }
  }
}

std::string Port(const Json& port) {
  return fmt::format("{} {}{}", port["name"].get<std::string>(), port["type"].get<std::string>(),
                     DumpJson(port["shape"]));
}

// The caches of all layers have the shapes of the first layer's.
void FormatPorts(std::string_view title, const Json& ports, std::string& text) {
  int left_out = 0;
  std::string line;
  for (const Json& port : ports) {
    const std::string& name = port["name"].get_ref<const std::string&>();
    if (name.starts_with("kv_cache_") && !name.ends_with("_0")) {
      ++left_out;
    } else {
      line += (line.empty() ? "" : ", ") + Port(port);
    }
  }
  if (left_out > 0) line += fmt::format(" and {} caches more", left_out);
  text += fmt::format("      {} {}\n", title, line);
}

void FormatModel(const Json& model, std::string& text) {
  for (const Json& signature : model["signatures"]) {
    text += fmt::format("    {}: {} operators\n", signature["key"].get<std::string>(),
                        signature["operators"].get<int>());
    FormatPorts("in ", signature["inputs"], text);
    FormatPorts("out", signature["outputs"], text);
  }
  text += "    operators of all signatures:";
  for (const auto& [name, count] : model["operators"].items()) {
    text += fmt::format(" {} {},", name, count.get<int>());
  }
  if (text.ends_with(',')) text.pop_back();
  text += "\n";
  for (const Json& weights : model["weights"]) {
    text +=
        fmt::format("    constants {}: {} tensors, {}\n", weights["coding"].get<std::string>(),
                    weights["tensors"].get<int>(), FormatBytes(weights["bytes"].get<uint64_t>()));
  }
}

std::string ContainerText(const Json& report) {
  if (report["container"] == "task") return "a .task bundle";
  if (report["container"] == "tflite") return "a TFLite model alone";
  return fmt::format("container version {}", report["version"].get<std::string>());
}

}  // namespace

std::string FormatInspection(const Json& report) {
  std::string text =
      fmt::format("{}: {}, {}\n", report["file"].get<std::string>(),
                  FormatBytes(report["bytes"].get<uint64_t>()), ContainerText(report));
  FormatItems(report["system_metadata"], "  ", text);
  for (const Json& section : report["sections"]) {
    text += fmt::format("\n  {}: bytes {} to {}, {}\n", section["type"].get<std::string>(),
                        section["begin"].get<uint64_t>(), section["end"].get<uint64_t>(),
                        FormatBytes(section["bytes"].get<uint64_t>()));
    FormatItems(section["items"], "    ", text);
    if (section.contains("metadata")) FormatMetadata(section["metadata"], text);
    if (section.contains("model")) FormatModel(section["model"], text);
    if (section.contains("error")) {
      text += fmt::format("    cannot be read: {}\n", section["error"].get<std::string>());
    }
  }
  if (const Json& reasons = report["cannot_run"]; !reasons.empty()) {
    text += "\n  It cannot be run:\n";
    for (const Json& reason : reasons) text += "    " + reason.get<std::string>() + "\n";
  }
  return text;
}

}  // namespace litertlm
