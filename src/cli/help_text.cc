#include "cli/help_text.h"

namespace litertlm {
namespace {

std::string Wrap(std::string_view line, size_t width) {
  const size_t indent = line.starts_with("  ") && line.size() > kHelpColumn ? kHelpColumn : 0;
  std::string result;
  for (size_t begin = indent; line.size() > width;) {
    size_t space = line.rfind(' ', width);
    if (space == std::string_view::npos || space <= begin) space = line.find(' ', width);
    if (space == std::string_view::npos) break;
    result.append(line.substr(0, space)).append("\n").append(indent, ' ');
    line.remove_prefix(space + 1);
    // What is left stands behind the indent, which is no part of it.
    if (begin > 0) width -= begin;
    begin = 0;
  }
  return result.append(line);
}

}  // namespace

std::string LayOutHelp(std::string_view help, size_t width) {
  std::string result;
  bool empty_before = false;
  bool examples = false;
  while (!help.empty()) {
    const size_t end = help.find('\n');
    const std::string_view line = help.substr(0, end);
    help.remove_prefix(end == std::string_view::npos ? help.size() : end + 1);
    if (line.empty()) {
      empty_before = !result.empty();
      continue;
    }
    if (empty_before) result += '\n';
    empty_before = false;
    examples = examples || line.starts_with("Example");
    result += (examples ? std::string(line) : Wrap(line, width)) + '\n';
  }
  return result;
}

}  // namespace litertlm
