#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/conversion.h"
#include "cli/explanation.h"
#include "cli/inspection.h"
#include "cli/model_list.h"
#include "cli/terminal.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

int PrintInspection(const std::filesystem::path& file, bool json,
                    const std::filesystem::path& tokenizer = {}) {
  Inspection inspection = InspectFile(file, tokenizer);
  const std::vector<Error> reasons = WhyItCannotRun(file, tokenizer);
  inspection.report["cannot_run"] = Json::array();
  for (const Error& reason : reasons) inspection.report["cannot_run"].push_back(reason.message());
  WriteOut(json ? DumpJson(inspection.report, 2) + "\n" : FormatInspection(inspection.report));
  if (inspection.error) throw *inspection.error;
  if (!reasons.empty()) throw reasons.front();
  return 0;
}

class InspectCommand : public Command {
 public:
  std::string_view name() const override { return "inspect"; }
  std::string_view summary() const override { return "Show what a model file holds"; }
  std::string_view examples() const override {
    return "  litert-lm-cli inspect model.litertlm\n"
           "  litert-lm-cli inspect tiny-qwen3 --json\n";
  }
  void Declare(Flags& flags) override {
    model_.Declare(flags, /*required=*/true);
    flags.Switch("--json", json_, "Print one JSON object, complete");
  }
  int Run() override {
    return PrintInspection(FindOrConvert(model_), json_,
                           model_.tokenizer.value_or(std::filesystem::path()));
  }

 private:
  OpenedModelFlags model_;
  bool json_ = false;
};

// The same for what is here already: nothing is downloaded or converted only to be looked at.
class ShowCommand : public Command {
 public:
  std::string_view name() const override { return "show"; }
  std::string_view summary() const override { return "Show what a model that is here holds"; }
  std::string_view examples() const override {
    return "  litert-lm-cli show litert-community/Qwen3-0.6B\n"
           "  litert-lm-cli show Qwen/Qwen3-0.6B --json\n"
           "  litert-lm-cli show acme/parrot --file parrot-int4.litertlm\n";
  }
  void Declare(Flags& flags) override {
    flags.Argument("NAME", name_, "ORG/NAME of a model, as `list` shows it");
    flags.Switch("--json", json_, "Print one JSON object, complete");
    flags.Option("--file", "NAME", file_, "Which model file, where there are several");
    flags.Option("--models-dir", "DIR", models_dir_, "The folder of models [LITERTLM_MODELS_DIR]");
  }
  int Run() override {
    const ModelStore store(models_dir_);
    if (file_) return PrintInspection(store.root() / name_ / *file_, json_);
    const std::optional<ModelLocation> location = store.LookUp(name_);
    if (!location) ThrowNotHere(store.root(), name_);
    if (!location->file.empty()) return PrintInspection(location->file, json_);
    throw Error(ErrorCode::kNotFound, fmt::format("{} is here as a checkpoint only.", name_),
                fmt::format("Convert it first: litert-lm-cli convert {}", name_));
  }

 private:
  std::string name_;
  std::optional<std::string> file_;
  bool json_ = false;
  std::optional<std::filesystem::path> models_dir_;
};

}  // namespace

std::unique_ptr<Command> MakeShowCommand() { return std::make_unique<ShowCommand>(); }
std::unique_ptr<Command> MakeInspectCommand() { return std::make_unique<InspectCommand>(); }

}  // namespace litertlm
