#include "tests/conformance/random_text.h"

#include <vector>

#include "base/utf8.h"

namespace litertlm {
namespace {

const std::vector<std::string>& Parts() {
  static const std::vector<std::string> parts = {
      "The capital of France", " is", " Paris", ".", " ", "  ", "     ", "\n", "\n\n\n", "\t",
      "\t\t", "\r\n", "\u00A0", "\u3000", "\u200B", "\uFEFF", std::string(1, '\0'), "\u0001",
      // Names of tokens, whole and cut.
      "<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<pad>", "<unk>", "<0x41>", "<unused3>",
      "<table>", "</p>", "[multimodal]", "<s>", "</s>", "<sep>", "<se", "\u2460\u2461", "\u2581",
      "\u2581\u2581",
      // What normalizes to something else.
      "a", "e\u0301", "\u00E9t\u00E9", "\u2460", "\uFB03", "\uFDFA", "\uFF21\uFF42\uFF13",
      "\uFF76\uFF9E", "\u30AB\u3099", "\u212B", "\u1E9B\u0323", "\u1100\u1161\u11A8", "\u00BD",
      "\u0130stanbul", "\u01C4", "\u2167", "STRASSE", "stra\u00DFe", "\uFF5E", "\u2026",
      // Scripts, emoji with joiners, numbers.
      "\u6771\u4EAC", "\u041F\u0440\u0438\u0432\u0435\u0442", "\u0645\u0631\u062D\u0628\u0627",
      "\u05E9\u05DC\u05D5\u05DD", "\u0928\u092E\u0938\u094D\u0924\u0947", "\uC548\uB155",
      "\u0E2A\u0E27\u0E31\u0E2A\u0E14\u0E35", "\u3053\u3093\u306B\u3061\u306F", "\U0001F600",
      "\U0001F469\u200D\U0001F469\u200D\U0001F467", "\U0001F44D\U0001F3FD", "1\uFE0F\u20E3",
      "\U0001F1E9\U0001F1EA", "12345", "3.14159", "1e-10", "0000000000", "\u0663\u0664", "hello",
      "Hello World", "ing", "th"};
  return parts;
}

const std::vector<std::string>& Junk() {
  static const std::vector<std::string> junk = {"\xFF",     "\xE3\x81",     "\xC0\xAF",
                                                "\x80",     "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                                "\xF0\x9F", "\xF0\x9F\x98", "\xE0\x80\xAF"};
  return junk;
}

}  // namespace

std::string RandomText(std::mt19937& random) {
  std::string text;
  for (auto n = random() % 16; n > 0; --n) {
    const auto kind = random() % 16;
    if (kind < 4) {
      AppendUtf8(static_cast<char32_t>(random() % (random() % 2 ? 0x250 : 0x20000)), text);
    } else if (kind == 4) {
      text += Junk()[random() % Junk().size()];
    } else if (kind == 5) {
      text += std::string(random() % 50, ' ');
    } else {
      text += Parts()[random() % Parts().size()];
    }
  }
  return text;
}

}  // namespace litertlm
