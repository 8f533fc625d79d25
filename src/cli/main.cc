#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <exception>
#include <memory>
#include <new>
#include <vector>

#include "cli/command.h"
#include "cli/terminal.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

int Fail(const Error& error) {
  PrintError(error);
  return ExitStatus(error.code());
}

// A stream that the caller has closed leaves its number to the next file that is opened, and what
// is said on stderr would be written into a model. Each is opened in the direction that it is not
// used in: reading or writing it still fails.
void OccupyClosedStreams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    if (::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) return;
  }
}

int Main(int argc, char** argv) {
  OccupyClosedStreams();
  // A closed pipe and a limit on the size of files are met as failing writes, so that nothing is
  // left half done.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  try {
    std::vector<std::unique_ptr<Command>> commands;
    commands.push_back(MakeRunCommand());
    commands.push_back(MakeConvertCommand());
    commands.push_back(MakePullCommand());
    commands.push_back(MakeListCommand());
    commands.push_back(MakeShowCommand());
    commands.push_back(MakeRemoveCommand());
    commands.push_back(MakeSearchCommand());
    commands.push_back(MakeInspectCommand());
    commands.push_back(MakeTokenizeCommand());
    commands.push_back(MakeDetokenizeCommand());
    commands.push_back(MakeLogitsCommand());
    commands.push_back(MakeBenchCommand());
    Command* command = ParseCommandLine(argc, argv, commands);
    return command != nullptr ? command->Run() : 0;
  } catch (const ClosedPipe&) {
    return kClosedPipeStatus;
  } catch (const Error& error) {
    return Fail(error);
  } catch (const std::bad_alloc&) {
    return Fail(Error(ErrorCode::kInternal, "Out of memory.",
                      "Close other programs, or take a smaller model."));
  } catch (const std::exception& error) {
    return Fail(Error(ErrorCode::kInternal, error.what(),
                      "This is a defect of litert-lm-cli; please report it."));
  }
}

}  // namespace
}  // namespace litertlm

int main(int argc, char** argv) { return litertlm::Main(argc, argv); }
