#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/conversion.h"
#include "cli/runtime_flags.h"
#include "cli/terminal.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

class ConvertCommand : public Command {
 public:
  std::string_view name() const override { return "convert"; }
  std::string_view summary() const override {
    return "Make a .litertlm file of a Hugging Face checkpoint";
  }
  std::string_view examples() const override {
    return "  litert-lm-cli convert Qwen/Qwen3-0.6B\n"
           "  litert-lm-cli convert ./Qwen3-0.6B\n"
           "  litert-lm-cli convert ./gemma-3-270m-it --quantize dynamic_int4_block32\n"
           "  litert-lm-cli convert tiny-qwen3 --quantize none --output-dir /tmp/tiny --force\n";
  }
  void Declare(Flags& flags) override;
  int Run() override;

 private:
  ConvertOptions Options() const;
  int Keep(const std::string& model, const std::filesystem::path& file,
           const std::string& run) const;
  CheckpointLocation Checkpoint(const ModelStore& store, const std::string& model,
                                Quantization quantization) const;
  std::filesystem::path Output(const CheckpointLocation& location) const {
    return output_dir_ ? *output_dir_ / location.output.filename() : location.output;
  }

  ModelFlags model_;
  std::optional<std::string> quantize_;
  std::optional<int> kv_cache_max_len_;
  std::vector<int> prefill_seq_lens_;
  std::optional<std::filesystem::path> output_dir_;
  std::optional<int> threads_;
  bool force_ = false;
};

void ConvertCommand::Declare(Flags& flags) {
  flags.Argument("MODEL", model_.model.emplace(),
                 "A checkpoint folder, a bundled name (tiny-qwen3, tiny-gemma3) or the ORG/NAME of "
                 "a repository on the hub");
  flags.Option("--quantize", "CODING", quantize_,
               "dynamic_int8 (default), int8, fp16, none, dynamic_int4_block32 or "
               "dynamic_int4_block128");
  flags.Option("--kv-cache-max-len", "N", kv_cache_max_len_,
               "Tokens that a conversation can hold, prompts and replies together (1280)");
  flags.Option("--prefill-seq-len", "N,...", prefill_seq_lens_,
               "Lengths of the prefill signatures; 256 stands for 8,64,128,256,512,1024 (256)");
  flags.Option("--output-dir", "DIR", output_dir_,
               "Where NAME.litertlm is written (models/ORG/NAME)");
  flags.Option("--threads", "N", threads_, "Threads to use (one for each core)");
  flags.Switch("--force", force_, "Convert again where the file exists already");
  model_.DeclareForCheckpoint(flags);
}

ConvertOptions ConvertCommand::Options() const {
  ConvertOptions options;
  if (quantize_) options.quantization = ParseQuantizeFlag(*quantize_);
  if (kv_cache_max_len_) options.kv_cache_max_len = *kv_cache_max_len_;
  if (!prefill_seq_lens_.empty()) options.prefill_seq_lens = prefill_seq_lens_;
  options.threads = ThreadCount("--threads", threads_);
  return options;
}

CheckpointLocation ConvertCommand::Checkpoint(const ModelStore& store, const std::string& model,
                                              Quantization quantization) const {
  if (const auto location = store.LookUpCheckpoint(model)) return *location;
  if (!NamesRepository(model)) return store.FindCheckpoint(model);
  // What exists is not downloaded only to say so.
  CheckpointLocation place = store.ForHub(model);
  const std::filesystem::path output = Output(place);
  if (!force_ && std::filesystem::exists(output)) return place;
  return HubModels(store, model_.hub, model_.progress.Style())
      .FetchCheckpoint(model, {quantization, output});
}

// Says that `file` is there and stays as it is.
int ConvertCommand::Keep(const std::string& model, const std::filesystem::path& file,
                         const std::string& run) const {
  std::string given;
  if (quantize_) given += " --quantize " + *quantize_;
  if (kv_cache_max_len_) given += fmt::format(" --kv-cache-max-len {}", *kv_cache_max_len_);
  if (!prefill_seq_lens_.empty()) {
    given += fmt::format(" --prefill-seq-len {}", fmt::join(prefill_seq_lens_, ","));
  }
  std::string text = fmt::format("Model already exists: {}\n", file.string());
  if (!given.empty()) {
    text += fmt::format("It is kept as it is: to have it with{}, convert it again.\n", given);
  }
  if (output_dir_) given += fmt::format(" --output-dir {}", output_dir_->string());
  WriteOut(text + fmt::format("Run it:           {}\nConvert it again: litert-lm-cli convert {}{} "
                              "--force\n",
                              run, model, given));
  return 0;
}

int ConvertCommand::Run() {
  const ModelStore store(model_.models_dir);
  const std::string model = std::filesystem::exists(*model_.model)
                                ? *model_.model
                                : ResolveAlias(*model_.model, model_.progress.Style());
  ConvertOptions options = Options();
  const CheckpointLocation location = Checkpoint(store, model, options.quantization);
  options.checkpoint = location.folder;
  options.output = Output(location);

  const std::string run =
      fmt::format("litert-lm-cli run {}", output_dir_ ? options.output.string() : model);
  if (std::filesystem::exists(options.output) && !force_) {
    if (!output_dir_) CheckOrigin(location);
    return Keep(model, options.output, run);
  }
  WriteOut(ConvertVisibly(options, model_.progress.Style()) + "\n");
  if (!output_dir_) store.RememberOrigin(location);
  WriteOut(fmt::format("Run it: {}\n", run));
  return 0;
}

}  // namespace

std::unique_ptr<Command> MakeConvertCommand() { return std::make_unique<ConvertCommand>(); }

}  // namespace litertlm
