#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/command.h"
#include "cli/hub_models.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

class SearchCommand : public Command {
 public:
  std::string_view name() const override { return "search"; }
  std::string_view summary() const override {
    return "Find models with .litertlm files on the hub";
  }
  std::string_view examples() const override {
    return "  litert-lm-cli search qwen3\n"
           "  litert-lm-cli search gemma --json\n";
  }
  void Declare(Flags& flags) override {
    flags.Argument("WORD", word_, "A part of the name");
    flags.Switch("--json", json_, "Print a JSON array");
    hub_.DeclareToken(flags);
  }
  int Run() override {
    const InterruptGuard guard;
    const std::vector<SearchResult> results = HubClient(MakeHubOptions(hub_)).Search(word_);
    if (json_) {
      WriteOut(Report(results));
    } else if (results.empty()) {
      WriteErr(
          fmt::format("No model with .litertlm files has \"{}\" in its name. Checkpoints that "
                      "can be converted are not listed here: see README_MODELS.md.\n",
                      word_));
    } else {
      WriteOut(Table(results));
    }
    return 0;
  }

 private:
  static std::string Report(const std::vector<SearchResult>& results) {
    Json report = Json::array();
    for (const SearchResult& result : results) {
      report.push_back({{"name", result.name},
                        {"files", result.files},
                        {"downloads", result.downloads},
                        {"updated", result.updated},
                        {"gated", result.gated}});
    }
    return DumpJson(report, 2) + "\n";
  }

  static std::string Table(const std::vector<SearchResult>& results) {
    size_t width = 0;
    for (const SearchResult& result : results) width = std::max(width, result.name.size());
    std::string table;
    for (const SearchResult& result : results) {
      const std::string files = result.files.size() == 1
                                    ? result.files.front()
                                    : fmt::format("{} files", result.files.size());
      table +=
          fmt::format("{:{}}  {:>9} downloads  {}  {}{}\n", result.name, width, result.downloads,
                      result.updated, files, result.gated ? "  (gated)" : "");
    }
    return table;
  }

  std::string word_;
  bool json_ = false;
  HubFlags hub_;
};

}  // namespace

std::unique_ptr<Command> MakeSearchCommand() { return std::make_unique<SearchCommand>(); }

}  // namespace litertlm
