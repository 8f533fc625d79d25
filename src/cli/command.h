// A command of the program: one file each.
#ifndef LITERTLM_CLI_COMMAND_H_
#define LITERTLM_CLI_COMMAND_H_

#include <memory>
#include <string_view>
#include <vector>

#include "cli/flags.h"

namespace litertlm {

class Command {
 public:
  virtual ~Command() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view summary() const = 0;  ///< One line, for lists of commands.
  virtual std::string_view examples() const = 0;
  /// Says which flags and arguments there are; their values are stored in the command.
  virtual void Declare(Flags& flags) = 0;
  /// Returns the exit status, or throws Error.
  virtual int Run() = 0;
};

std::unique_ptr<Command> MakeRunCommand();
std::unique_ptr<Command> MakeConvertCommand();
std::unique_ptr<Command> MakePullCommand();
std::unique_ptr<Command> MakeListCommand();
std::unique_ptr<Command> MakeShowCommand();
std::unique_ptr<Command> MakeRemoveCommand();
std::unique_ptr<Command> MakeSearchCommand();
std::unique_ptr<Command> MakeInspectCommand();
std::unique_ptr<Command> MakeTokenizeCommand();
std::unique_ptr<Command> MakeDetokenizeCommand();
std::unique_ptr<Command> MakeLogitsCommand();
std::unique_ptr<Command> MakeBenchCommand();

/// Reads the command line. Prints what --help and --version ask for and returns null then; throws
/// kUsage for anything that is wrong.
Command* ParseCommandLine(int argc, char** argv,
                          const std::vector<std::unique_ptr<Command>>& commands);

}  // namespace litertlm

#endif  // LITERTLM_CLI_COMMAND_H_
