// tokenize and detokenize: text to token ids, and back.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/command.h"
#include "cli/conversion.h"
#include "cli/prompt.h"
#include "cli/terminal.h"
#include "litertlm/model.h"

namespace litertlm {
namespace {

class TokenizeCommand : public Command {
 public:
  std::string_view name() const override { return "tokenize"; }
  std::string_view summary() const override { return "Show the tokens of a text"; }
  std::string_view examples() const override {
    return "  litert-lm-cli tokenize tiny-qwen3 \"Hello, world!\"\n"
           "  litert-lm-cli tokenize tiny-qwen3 \"<|im_start|>user\" --control --json\n"
           "  litert-lm-cli tokenize tiny-qwen3 < README.md\n";
  }
  void Declare(Flags& flags) override {
    model_.Declare(flags, /*required=*/true);
    flags.Argument("TEXT", text_, "The text; without it, all of standard input");
    flags.Switch("--control", control_,
                 "Names of control tokens in the text stand for those tokens");
    flags.Switch("--json", json_, "Print one JSON object");
  }
  int Run() override {
    const std::string text = text_ ? *text_ : ReadPipedText();
    const Model model = model_.Open();
    const std::vector<int32_t> ids = model.Tokenize(text, control_);
    if (!json_) {
      std::string lines;
      for (const int32_t id : ids) {
        lines += fmt::format("{:>7}  {}\n", id, DumpJson(model.Detokenize({&id, 1})));
      }
      WriteOut(lines);
      return 0;
    }
    Json pieces = Json::array();
    for (const int32_t id : ids) pieces.push_back(model.Detokenize({&id, 1}));
    WriteOut(DumpJson({{"ids", ids}, {"pieces", pieces}}) + "\n");
    return 0;
  }

 private:
  OpenedModelFlags model_;
  std::optional<std::string> text_;
  bool control_ = false;
  bool json_ = false;
};

class DetokenizeCommand : public Command {
 public:
  std::string_view name() const override { return "detokenize"; }
  std::string_view summary() const override { return "Show the text of token ids"; }
  std::string_view examples() const override {
    return "  litert-lm-cli detokenize tiny-qwen3 281 276 266 1152\n"
           "  litert-lm-cli detokenize tiny-qwen3 281,276,266,1152 --json\n";
  }
  void Declare(Flags& flags) override {
    model_.Declare(flags, /*required=*/true);
    flags.Arguments("ID", ids_, "Token ids, separated by spaces or commas");
    flags.Switch("--json", json_, "Print one JSON object");
  }
  int Run() override {
    const Model model = model_.Open();
    const std::string text = model.Detokenize(ids_);
    WriteOut((json_ ? DumpJson({{"text", text}}) : text) + "\n");
    return 0;
  }

 private:
  OpenedModelFlags model_;
  std::vector<int> ids_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTokenizeCommand() { return std::make_unique<TokenizeCommand>(); }
std::unique_ptr<Command> MakeDetokenizeCommand() { return std::make_unique<DetokenizeCommand>(); }

}  // namespace litertlm
