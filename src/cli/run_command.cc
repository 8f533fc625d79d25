#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/chat.h"
#include "cli/command.h"
#include "cli/conversion.h"
#include "cli/interrupt.h"
#include "cli/prompt.h"
#include "cli/reply_printer.h"
#include "cli/runtime_flags.h"
#include "cli/terminal.h"
#include "litertlm/conversation.h"
#include "litertlm/error.h"
#include "litertlm/model.h"

namespace litertlm {
namespace {

class RunCommand : public Command {
 public:
  std::string_view name() const override { return "run"; }
  std::string_view summary() const override { return "Chat with a model, or answer one prompt"; }
  std::string_view examples() const override {
    return "  litert-lm-cli run tiny-qwen3\n"
           "  litert-lm-cli run tiny-qwen3 --prompt \"What is the capital of France?\"\n"
           "  litert-lm-cli run litert-community/Qwen3-0.6B\n"
           "  git diff | litert-lm-cli run model.litertlm --prompt \"Summarize:\" --stats\n"
           "  litert-lm-cli run tiny-qwen3 --ids 281,276,266 --temperature 0 --json\n";
  }
  void Declare(Flags& flags) override;
  int Run() override;

 private:
  void DeclareSampling(Flags& flags);
  void CheckFlags() const;
  SamplerOptions Sampling(const Model& model) const;
  Completion Answer(const Model& model, const std::string& prompt, const GenerationOptions& options,
                    const ChunkCallback& on_chunk) const;
  int AnswerOnce(const Model& model, const std::string& prompt, GenerationOptions options) const;

  OpenedModelFlags model_;
  PromptSources prompt_;
  std::optional<std::string> system_;
  std::vector<int> ids_;
  bool raw_ = false;
  bool control_ = false;
  std::optional<bool> think_;

  std::optional<float> temperature_;
  std::optional<int> top_k_;
  std::optional<float> top_p_;
  std::optional<float> min_p_;
  std::optional<float> repeat_penalty_;
  std::optional<float> presence_penalty_;
  std::optional<uint64_t> seed_;

  std::optional<int> max_tokens_;
  std::vector<std::string> stop_;
  bool ignore_eos_ = false;
  bool stats_ = false;
  bool json_ = false;
  RuntimeFlags runtime_;
  bool all_logits_ = false;
};

void RunCommand::Declare(Flags& flags) {
  flags.Group("Prompt (without one, a chat begins)");
  flags.Option("--prompt", "TEXT", prompt_.text, "Answer this; text from a pipe is added to it");
  flags.Option("--prompt-file", "FILE", prompt_.file, "Answer the text of this file (-: stdin)");
  flags.Option("--system", "TEXT", system_, "What the model is told to be");
  flags.OnOff("think", think_, "Let a model that can think do so before it answers (the default)",
              "Tell it not to");
  flags.Switch("--raw", raw_, "Continue the prompt as it is, without the chat template");
  flags.Switch("--control", control_,
               "With --raw: names of control tokens in the text stand for those tokens");
  flags.Option("--ids", "ID,...", ids_, "Continue these token ids; nothing is added to them");
  DeclareSampling(flags);
  flags.Group("Reply");
  flags.Option("--max-tokens", "N", max_tokens_, "Tokens of a reply at most; 0: until it ends (0)");
  flags.Option("--stop", "TEXT", stop_, "End the reply before this text; may be given repeatedly");
  flags.Switch("--ignore-eos", ignore_eos_, "Go on after the tokens that end a reply");
  flags.Switch("--json", json_, "Print one JSON object: ids, text, stop");
  flags.Switch("--stats", stats_, "Show counts, rates and memory on stderr; in --json, add them");
  flags.Group("Execution");
  runtime_.Declare(flags);
  flags.Switch("--all-logits", all_logits_,
               "Compute also the logits that no choice depends on: slower, less memory");
  model_.Declare(flags, /*required=*/false);
}

void RunCommand::DeclareSampling(Flags& flags) {
  flags.Group("Sampling (defaults: what the model recommends)");
  flags.Option("--temperature", "T", temperature_, "0: always the likeliest token");
  flags.Option("--top-k", "N", top_k_, "Draw from the N likeliest tokens; 0: from all");
  flags.Option("--top-p", "P", top_p_, "Draw from the likeliest that together reach P");
  flags.Option("--min-p", "P", min_p_, "Draw from those with P times the likeliest one's chance");
  flags.Option("--repeat-penalty", "X", repeat_penalty_,
               "Make tokens of prompt and reply less likely; 1: off");
  flags.Option("--presence-penalty", "X", presence_penalty_,
               "Make tokens of the reply less likely; 0: off");
  flags.Option("--seed", "N", seed_, "The same seed gives the same reply");
}

void RunCommand::CheckFlags() const {
  const auto refuse = [](bool wrong, const char* message) {
    if (wrong) throw Error(ErrorCode::kUsage, message, "See litert-lm-cli run --help.");
  };
  refuse(!ids_.empty() && (prompt_.text || prompt_.file || raw_ || control_),
         "--ids cannot be combined with --prompt, --prompt-file, --raw or --control.");
  refuse((raw_ || !ids_.empty()) && (system_ || think_),
         "--system and --think belong to the chat template, which --raw and --ids leave out.");
  refuse(control_ && !raw_, "--control is only for --raw.");
}

SamplerOptions RunCommand::Sampling(const Model& model) const {
  SamplerOptions options = model.default_sampler();
  // A file that recommends greedy decoding must not make the user's temperature ineffective.
  if (temperature_.value_or(0) > 0 && options.top_k == 1) options.top_k = 0;
  if (temperature_) options.temperature = *temperature_;
  if (top_k_) options.top_k = *top_k_;
  if (top_p_) options.top_p = *top_p_;
  if (min_p_) options.min_p = *min_p_;
  if (repeat_penalty_) options.repetition_penalty = *repeat_penalty_;
  if (presence_penalty_) options.presence_penalty = *presence_penalty_;
  if (seed_) options.seed = *seed_;
  return options;
}

int RunCommand::Run() {
  CheckFlags();
  const std::string name = model_.model.value_or(kDefaultModel);
  // Read before the model is opened: a mistake there should not cost a conversion.
  const std::optional<std::string> prompt =
      ids_.empty() ? ReadPrompt(prompt_) : std::optional<std::string>("");
  if (!prompt && (json_ || raw_)) {
    throw Error(ErrorCode::kUsage, "--json and --raw need a prompt.",
                "Give it with --prompt TEXT, --prompt-file FILE or through a pipe.");
  }
  if (!model_.model) {
    Notice(model_.progress.Style(),
           fmt::format("No model given: this is {}, a toy. For a real one: litert-lm-cli run "
                       "litert-community/Qwen3-0.6B (see README_MODELS.md).",
                       kDefaultModel));
  }
  ModelOptions execution = runtime_.options();
  execution.all_logits = all_logits_;
  const Model model = model_.Open(execution);
  const GenerationOptions options{.sampler = Sampling(model),
                                  .max_tokens = max_tokens_.value_or(0),
                                  .stop_texts = stop_,
                                  .ignore_stop_tokens = ignore_eos_,
                                  .cancel = nullptr};
  if (prompt) return AnswerOnce(model, *prompt, options);
  Chat(model, name,
       {.conversation = {.system = system_.value_or(""), .thinking = think_.value_or(true)},
        .generation = options,
        .stats = stats_});
  return 0;
}

Completion RunCommand::Answer(const Model& model, const std::string& prompt,
                              const GenerationOptions& options,
                              const ChunkCallback& on_chunk) const {
  if (!ids_.empty()) return model.Generate(ids_, options, on_chunk);
  if (raw_) return model.Generate(RawPrompt(model, prompt, control_), options, on_chunk);
  Conversation conversation(model,
                            {.system = system_.value_or(""), .thinking = think_.value_or(true)});
  return conversation.Send(prompt, options, on_chunk);
}

int RunCommand::AnswerOnce(const Model& model, const std::string& prompt,
                           GenerationOptions options) const {
  ReplyPrinter printer;
  ChunkCallback print;
  if (!json_) print = [&printer](const TextChunk& chunk) { printer.Print(chunk); };
  const InterruptGuard guard;
  options.cancel = &InterruptGuard::requested();
  const Completion completion = Answer(model, prompt, options, print);
  printer.Finish();
  if (json_) WriteOut(FormatJson(completion, stats_));
  if (completion.stop == StopReason::kContext && !json_) {
    WriteErr(
        fmt::format("The reply was cut off: the context of {} tokens is full. A model "
                    "converted with a larger --kv-cache-max-len holds more.\n",
                    model.context_length()));
  }
  if (stats_ && !json_) WriteErr(FormatStats(completion.stats));
  return completion.stop == StopReason::kCancelled ? ExitStatus(ErrorCode::kInterrupted) : 0;
}

}  // namespace

std::unique_ptr<Command> MakeRunCommand() { return std::make_unique<RunCommand>(); }

}  // namespace litertlm
