#include <fmt/format.h>

#include <bit>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "cli/command.h"
#include "cli/conversion.h"
#include "cli/interrupt.h"
#include "cli/prompt.h"
#include "cli/runtime_flags.h"
#include "cli/terminal.h"
#include "litertlm/conversation.h"
#include "litertlm/error.h"
#include "litertlm/model.h"

namespace litertlm {
namespace {

static_assert(std::endian::native == std::endian::little, "rows are written as they lie in memory");

// The header of a NumPy file, version 1.0: magic, version, length, a Python dictionary padded with
// spaces so that the data begins at a multiple of 64 bytes.
std::string NpyHeader(size_t rows, int columns) {
  constexpr size_t kPrefix = 10;
  std::string text =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  text.append(63 - (kPrefix + text.size()) % 64, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

class LogitsCommand : public Command {
 public:
  std::string_view name() const override { return "logits"; }
  std::string_view summary() const override {
    return "Write the model's raw output for every token of an input";
  }
  std::string_view examples() const override {
    return "  litert-lm-cli logits tiny-qwen3 --ids 281,276,266 --out logits.npy\n"
           "  litert-lm-cli logits tiny-qwen3 --prompt \"Hello!\" --out logits.npy\n";
  }
  void Declare(Flags& flags) override {
    model_.Declare(flags, /*required=*/true);
    flags.Option("--ids", "ID,...", ids_, "The input as token ids; nothing is added");
    flags.Option("--prompt", "TEXT", prompt_, "The input as a message, in the chat template");
    flags.Switch("--raw", raw_, "Without the chat template; the start token is added");
    flags.Switch("--control", control_,
                 "With --raw: names of control tokens in the text stand for those tokens");
    flags.Option("--out", "FILE.npy", out_,
                 "The NumPy file to write: float32 [tokens, vocabulary]");
    runtime_.Declare(flags);
  }
  int Run() override;

 private:
  std::vector<int32_t> Input(const Model& model) const;

  OpenedModelFlags model_;
  std::vector<int> ids_;
  std::optional<std::string> prompt_;
  std::optional<std::filesystem::path> out_;
  RuntimeFlags runtime_;
  bool raw_ = false;
  bool control_ = false;
};

std::vector<int32_t> LogitsCommand::Input(const Model& model) const {
  if (!prompt_) return ids_;
  return raw_ ? RawPrompt(model, *prompt_, control_) : Conversation(model).Render(*prompt_);
}

int LogitsCommand::Run() {
  if (ids_.empty() == !prompt_) {
    throw Error(ErrorCode::kUsage, "logits takes either --ids or --prompt.",
                "See litert-lm-cli logits --help.");
  }
  if (!out_) {
    throw Error(ErrorCode::kUsage, "--out is missing.", "For example: --out logits.npy");
  }
  if ((raw_ || control_) && !prompt_) {
    throw Error(ErrorCode::kUsage, "--raw and --control are only for --prompt.",
                "See litert-lm-cli logits --help.");
  }
  if (control_ && !raw_) {
    throw Error(ErrorCode::kUsage, "--control is only for --raw.",
                "See litert-lm-cli logits --help.");
  }
  const Model model = model_.Open(runtime_.options());
  const std::vector<int32_t> ids = Input(model);
  if (ids.empty()) {
    throw Error(ErrorCode::kUsage, "The input has no tokens.",
                "A text for --prompt, or ids for --ids, must not be empty.");
  }
  AtomicFile file(*out_);
  file.Write(AsBytes(NpyHeader(ids.size(), model.vocab_size())));
  const InterruptGuard guard;
  model.Logits(ids, [&](std::span<const float> row) {
    if (InterruptGuard::requested()) throw Error(ErrorCode::kInterrupted, "Interrupted.");
    file.Write(std::as_bytes(row));
  });
  file.Commit();
  Notice(model_.progress.Style(), fmt::format("Wrote {}: float32 [{}, {}].", out_->string(),
                                              ids.size(), model.vocab_size()));
  return 0;
}

}  // namespace

std::unique_ptr<Command> MakeLogitsCommand() { return std::make_unique<LogitsCommand>(); }

}  // namespace litertlm
