#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/hub_models.h"
#include "cli/progress_flags.h"
#include "cli/terminal.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

class PullCommand : public Command {
 public:
  std::string_view name() const override { return "pull"; }
  std::string_view summary() const override { return "Download a model, or bring it up to date"; }
  std::string_view examples() const override {
    return "  litert-lm-cli pull litert-community/Qwen3-0.6B\n"
           "  litert-lm-cli pull litert-community/Gemma3-1B-IT --file gemma3-1b-it-int4.litertlm\n"
           "  litert-lm-cli pull Qwen/Qwen3-0.6B --revision main\n"
           "  litert-lm-cli pull google/gemma-3-270m-it --include 'tokenizer*'\n";
  }
  void Declare(Flags& flags) override {
    flags.Argument("NAME", name_, "ORG/NAME of a repository on the hub");
    hub_.DeclareRevision(flags);
    hub_.DeclareFile(flags);
    flags.Option("--include", "PATTERN", include_,
                 "Only the files that match, such as '*.json'; may be given repeatedly");
    hub_.DeclareToken(flags);
    flags.Option("--models-dir", "DIR", models_dir_, "The folder of models [LITERTLM_MODELS_DIR]");
    progress_.Declare(flags);
  }
  int Run() override {
    const ModelStore store(models_dir_);
    const ProgressStyle style = progress_.Style();
    const std::string repository = ResolveAlias(name_, style);
    if (!NamesRepository(repository) && store.LookUp(repository)) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} is here already, and not from the hub.", repository),
                  fmt::format("Run it: litert-lm-cli run {}", repository));
    }
    const ModelLocation location = HubModels(store, hub_, style).Pull(repository, include_);
    const std::filesystem::path& path =
        location.checkpoint ? location.checkpoint->folder : location.file;
    WriteOut(fmt::format("{} is here: {}\n", repository, path.string()));
    if (include_.empty()) {
      WriteOut(fmt::format("{} litert-lm-cli run {}\n",
                           location.checkpoint ? "Convert and run it:" : "Run it:", repository));
    }
    return 0;
  }

 private:
  std::string name_;
  HubFlags hub_;
  ProgressFlags progress_;
  std::vector<std::string> include_;
  std::optional<std::filesystem::path> models_dir_;
};

}  // namespace

std::unique_ptr<Command> MakePullCommand() { return std::make_unique<PullCommand>(); }

}  // namespace litertlm
