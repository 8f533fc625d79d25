#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "base/units.h"
#include "cli/command.h"
#include "cli/model_list.h"
#include "cli/model_store.h"
#include "cli/terminal.h"
#include "hub/fetch.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

class RemoveCommand : public Command {
 public:
  std::string_view name() const override { return "rm"; }
  std::string_view summary() const override { return "Remove a model that is here"; }
  std::string_view examples() const override {
    return "  litert-lm-cli rm litert-community/Qwen3-0.6B\n"
           "  litert-lm-cli rm Qwen/Qwen3-0.6B --checkpoint     keep the converted model\n"
           "  litert-lm-cli rm Qwen/Qwen3-0.6B --yes\n";
  }
  void Declare(Flags& flags) override {
    flags.Argument("NAME", name_, "ORG/NAME of a model, as `list` shows it");
    flags.Switch("--checkpoint", checkpoint_, "Only the originals it was converted from");
    flags.Switch("--yes", yes_, "Do not ask");
    flags.Option("--models-dir", "DIR", models_dir_, "The folder of models [LITERTLM_MODELS_DIR]");
  }
  int Run() override;

 private:
  void Confirm(const fs::path& target) const;

  std::string name_;
  bool checkpoint_ = false;
  bool yes_ = false;
  std::optional<fs::path> models_dir_;
};

int RemoveCommand::Run() {
  const ModelStore store(models_dir_);
  const std::string name = StoredName(store.root(), name_);
  const fs::path folder = store.root() / name;
  std::vector<fs::path> targets = {folder};
  if (checkpoint_) {
    targets.clear();
    for (const char* part : {"checkpoint", "checkpoint.partial"}) {
      if (fs::exists(fs::symlink_status(folder / part))) targets.push_back(folder / part);
    }
    if (targets.empty()) {
      throw Error(ErrorCode::kNotFound, fmt::format("{} has no checkpoint here.", name));
    }
  }
  FileLock lock = ModelLock(store.root(), name);
  if (!lock.Try()) {
    throw Error(ErrorCode::kIo, fmt::format("{} is being downloaded.", name),
                "Wait for the other process, or end it.");
  }
  Confirm(targets.front());
  for (const fs::path& target : targets) {
    std::error_code error;
    // Never through a link: a checkpoint may be one to a folder of the user's.
    fs::remove_all(target, error);
    if (error) {
      throw Error(ErrorCode::kDenied,
                  fmt::format("Cannot remove {}: {}.", target.string(), error.message()),
                  "Check the permissions of the folder.");
    }
  }
  std::error_code ignored;
  fs::remove(folder.parent_path(), ignored);  // Only if nothing else is in it.
  WriteErr(fmt::format("Removed {}\n", targets.front().string()));
  return 0;
}

void RemoveCommand::Confirm(const fs::path& target) const {
  if (yes_) return;
  if (!IsTerminal(STDIN_FILENO)) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{} is not removed without asking.", target.string()),
                "Give --yes where nobody can answer.");
  }
  WriteErr(fmt::format("Remove {} ({})? [y/N] ", target.string(), FormatBytes(BytesIn(target))));
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "y" && answer != "Y" && answer != "yes") {
    throw Error(ErrorCode::kInterrupted, "Nothing was removed.");
  }
}

}  // namespace

std::unique_ptr<Command> MakeRemoveCommand() { return std::make_unique<RemoveCommand>(); }

}  // namespace litertlm
