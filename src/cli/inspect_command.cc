#include <memory>

#include "cli/command.h"
#include "cli/conversion.h"
#include "cli/inspection.h"
#include "cli/terminal.h"

namespace litertlm {
namespace {

class InspectCommand : public Command {
 public:
  std::string_view name() const override { return "inspect"; }
  std::string_view summary() const override { return "Show what a .litertlm file holds"; }
  std::string_view examples() const override {
    return "  litert-lm-cli inspect model.litertlm\n"
           "  litert-lm-cli inspect tiny-qwen3 --json\n";
  }
  void Declare(Flags& flags) override {
    model_.Declare(flags, /*required=*/true);
    flags.Switch("--json", json_, "Print one JSON object, complete");
  }
  int Run() override {
    const Inspection inspection = InspectFile(FindOrConvert(model_));
    WriteOut(json_ ? DumpJson(inspection.report, 2) + "\n" : FormatInspection(inspection.report));
    if (inspection.error) throw *inspection.error;
    return 0;
  }

 private:
  ModelFlags model_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeInspectCommand() { return std::make_unique<InspectCommand>(); }

}  // namespace litertlm
