#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/model_list.h"
#include "cli/model_store.h"
#include "cli/terminal.h"

namespace litertlm {
namespace {

class ListCommand : public Command {
 public:
  std::string_view name() const override { return "list"; }
  std::string_view summary() const override { return "Show the models that are here"; }
  std::string_view examples() const override {
    return "  litert-lm-cli list\n"
           "  litert-lm-cli list --json\n";
  }
  void Declare(Flags& flags) override {
    flags.Switch("--json", json_, "Print a JSON array, with paths");
    flags.Option("--models-dir", "DIR", models_dir_, "The folder of models [LITERTLM_MODELS_DIR]");
  }
  int Run() override {
    const ModelStore store(models_dir_);
    const std::vector<StoredModel> models = ListModels(store.root());
    if (json_) {
      WriteOut(Report(models));
    } else if (models.empty()) {
      WriteErr(
          fmt::format("No models are in {}. To get one: litert-lm-cli run "
                      "litert-community/Qwen3-0.6B\n",
                      store.root().string()));
    } else {
      WriteOut(Table(models));
    }
    return 0;
  }

 private:
  static std::string Date(const StoredModel& model) {
    return fmt::format("{:%Y-%m-%d}", fmt::localtime(model.changed));
  }

  static std::string Report(const std::vector<StoredModel>& models) {
    Json report = Json::array();
    for (const StoredModel& model : models) {
      report.push_back({{"name", model.name},
                        {"kind", model.kind},
                        {"quantization", model.quantization},
                        {"bytes", model.bytes},
                        {"date", Date(model)},
                        {"path", model.path.string()}});
    }
    return DumpJson(report, 2) + "\n";
  }

  static std::string Table(const std::vector<StoredModel>& models) {
    std::vector<std::array<std::string, 5>> rows = {
        {"NAME", "KIND", "QUANTIZATION", "SIZE", "DATE"}};
    for (const StoredModel& model : models) {
      rows.push_back(
          {model.name, model.kind, model.quantization, FormatBytes(model.bytes), Date(model)});
    }
    std::array<size_t, 5> widths{};
    for (const auto& row : rows) {
      for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string table;
    for (const auto& row : rows) {
      table += fmt::format("{:{}}  {:{}}  {:{}}  {:>{}}  {}\n", row[0], widths[0], row[1],
                           widths[1], row[2], widths[2], row[3], widths[3], row[4]);
    }
    return table;
  }

  bool json_ = false;
  std::optional<std::filesystem::path> models_dir_;
};

}  // namespace

std::unique_ptr<Command> MakeListCommand() { return std::make_unique<ListCommand>(); }

}  // namespace litertlm
