#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/thread_pool.h"
#include "cli/benchmark.h"
#include "cli/benchmark_report.h"
#include "cli/command.h"
#include "cli/conversion.h"
#include "cli/interrupt.h"
#include "cli/runtime_flags.h"
#include "cli/terminal.h"
#include "convert/synthetic.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

using Formatter = std::string (*)(const BenchmarkResult&);

constexpr std::pair<std::string_view, Formatter> kFormats[] = {
    {"text", FormatBenchmarkText},
    {"json", FormatBenchmarkJson},
    {"csv", FormatBenchmarkCsv},
    {"md", FormatBenchmarkMarkdown},
};

[[noreturn]] void Refuse(const std::string& message,
                         const std::string& hint = "See litert-lm-cli bench --help.") {
  throw Error(ErrorCode::kUsage, message, hint);
}

// `given` without zeros, which switch a test off; `otherwise` where nothing was given.
std::vector<int> Counts(const char* flag, const std::vector<int>& given, int otherwise) {
  std::vector<int> counts = given.empty() ? std::vector<int>{otherwise} : given;
  for (const int count : counts) {
    if (count < 0) Refuse(fmt::format("{}: {} is below 0.", flag, count));
  }
  std::erase(counts, 0);
  return counts;
}

class BenchCommand : public Command {
 public:
  std::string_view name() const override { return "bench"; }
  std::string_view summary() const override {
    return "Measure a model's speed, start-up time and memory";
  }
  std::string_view examples() const override {
    return "  litert-lm-cli bench model.litertlm\n"
           "  litert-lm-cli bench model.litertlm -p 128,512 -n 64 -d 0,1024 -t 1,2 -r 5\n"
           "  litert-lm-cli bench --synthetic qwen3-0.6b --quantize dynamic_int4_block32\n"
           "  litert-lm-cli bench model.litertlm -p 512 -n 32 --ops\n"
           "  litert-lm-cli bench tiny-qwen3 -n 0 --json\n";
  }
  void Declare(Flags& flags) override;
  int Run() override;

 private:
  BenchmarkOptions Options() const;
  std::filesystem::path FindModel() const;

  OpenedModelFlags model_;
  std::optional<std::string> synthetic_;
  std::optional<std::string> quantize_;
  std::optional<int> kv_cache_max_len_;
  std::vector<int> prompts_;
  std::vector<int> replies_;
  std::vector<int> depths_;
  std::vector<int> threads_;
  CacheTypeFlag cache_type_;
  std::optional<int> repetitions_;
  bool all_logits_ = false;
  bool ops_ = false;
  std::optional<std::string> output_;
  bool json_ = false;
};

void BenchCommand::Declare(Flags& flags) {
  flags.Group("Instead of MODEL: random weights, which are as fast as real ones");
  flags.Option("--synthetic", "SHAPE", synthetic_,
               "qwen3-0.6b, qwen3-1.7b, qwen3-4b, gemma3-270m or gemma3-1b; made in "
               "models/synthetic/ and kept there");
  flags.Option("--quantize", "CODING", quantize_, "As for convert (dynamic_int8)");
  flags.Option("--kv-cache-max-len", "N", kv_cache_max_len_, "Tokens of the context (1280)");
  flags.Group("Tests (lists: each with each)");
  flags.Option("-p,--n-prompt", "N,...", prompts_, "Tokens of a prompt; 0: none (512)");
  flags.Option("-n,--n-gen", "N,...", replies_, "Tokens decoded one by one; 0: none (128)");
  flags.Option("-d,--n-depth", "N,...", depths_, "Tokens that are in the context before (0)");
  flags.Option("-t,--threads", "N,...", threads_, "Threads to use (one for each core)");
  cache_type_.Declare(flags);
  flags.Switch("--all-logits", all_logits_,
               "Compute also the logits that a greedy choice does not depend on");
  flags.Option("-r,--repetitions", "N", repetitions_,
               "How often each is measured, after once that is not counted (5)");
  flags.Group("Output");
  flags.Switch("--ops", ops_, "Also where the time of each test goes, by operator (text and json)");
  flags.Option("-o,--output", "FORMAT", output_, "text, json, csv or md (text)");
  flags.Switch("--json", json_, "The same as --output json");
  model_.Declare(flags, /*required=*/false);
}

BenchmarkOptions BenchCommand::Options() const {
  BenchmarkOptions options{.prompt_lengths = Counts("--n-prompt", prompts_, 512),
                           .reply_lengths = Counts("--n-gen", replies_, 128),
                           .depths = depths_.empty() ? std::vector<int>{0} : depths_,
                           .threads = Counts("--threads", threads_, DefaultThreadCount()),
                           .repetitions = repetitions_.value_or(5),
                           .op_times = ops_,
                           .cache_type = cache_type_.type(),
                           .all_logits = all_logits_,
                           .tokenizer = model_.tokenizer.value_or(std::filesystem::path())};
  Counts("--n-depth", options.depths, 0);
  if (options.prompt_lengths.empty() && options.reply_lengths.empty()) {
    Refuse("--n-prompt 0 and --n-gen 0 leave nothing to measure.");
  }
  if (options.threads.empty()) Refuse("--threads 0 leaves nobody to do the work.");
  if (options.repetitions == 0) Refuse("--repetitions 0 leaves nothing to measure.");
  return options;
}

std::filesystem::path BenchCommand::FindModel() const {
  if (model_.model.has_value() == synthetic_.has_value()) {
    Refuse("bench takes either MODEL or --synthetic.");
  }
  if (synthetic_ && model_.tokenizer) Refuse("--tokenizer is only for MODEL.");
  if (!synthetic_) {
    if (quantize_) Refuse("--quantize is only for --synthetic.");
    if (kv_cache_max_len_) Refuse("--kv-cache-max-len is only for --synthetic.");
    return FindOrConvert(model_);
  }
  ConvertOptions options;
  if (quantize_) options.quantization = ParseQuantizeFlag(*quantize_);
  if (kv_cache_max_len_) options.kv_cache_max_len = *kv_cache_max_len_;
  return FindOrMakeSynthetic(model_, *synthetic_, options);
}

int BenchCommand::Run() {
  const std::string format = output_.value_or(json_ ? "json" : "text");
  if (json_ && format != "json") Refuse(fmt::format("--json contradicts --output {}.", format));
  const auto* formatter =
      std::ranges::find_if(kFormats, [&](const auto& known) { return known.first == format; });
  if (formatter == std::end(kFormats)) {
    Refuse(fmt::format("Unknown value for --output: {}.", format), "Known: text, json, csv, md.");
  }
  if (ops_ && format != "text" && format != "json") {
    Refuse(fmt::format("--ops has no place in --output {}.", format), "Use text or json.");
  }
  const BenchmarkOptions options = Options();
  const std::filesystem::path file = FindModel();
  const InterruptGuard guard;
  const bool visible = IsTerminal(STDERR_FILENO) && model_.progress.Style() == ProgressStyle::kAuto;
  const BenchmarkResult result = RunBenchmark(file, options, [&](const std::string& step) {
    if (visible) WriteErr("\rMeasuring " + step + "\033[K");
  });
  if (visible) WriteErr("\r\033[K");
  WriteOut(formatter->second(result));
  return 0;
}

}  // namespace

std::unique_ptr<Command> MakeBenchCommand() { return std::make_unique<BenchCommand>(); }

}  // namespace litertlm
