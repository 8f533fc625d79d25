// Runs the built program as a shell would, and on a terminal as a person would.
#ifndef LITERTLM_TESTS_CLI_PROGRAM_H_
#define LITERTLM_TESTS_CLI_PROGRAM_H_

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace litertlm {

struct Outcome {
  int status = -1;  ///< Exit status; 128 + signal if a signal ended it.
  std::string out;
  std::string err;
};

struct Invocation {
  std::vector<std::string> arguments;
  /// A command that runs the program, whose path and arguments are appended. Empty: it is run as
  /// it is.
  std::vector<std::string> wrapper{};
  std::filesystem::path folder{};      ///< Where it runs; empty: where the test does.
  std::optional<std::string> input{};  ///< Through a pipe; absent: /dev/null.
  std::vector<std::pair<std::string, std::string>> environment{};
  std::string out_file{};      ///< Standard output goes there instead.
  bool closed_output = false;  ///< Nobody reads standard output.
  bool interrupt = false;      ///< SIGINT as soon as the first output has come.
};

/// A fresh folder for one test, removed at its end.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The folder of converted models that all tests of this program share: each bundled model is
/// converted once.
const std::filesystem::path& SharedModels();

/// So that no test sees the messages of a first use.
void ConvertOnce(const std::string& model);

Outcome RunProgram(const std::vector<std::string>& arguments);
Outcome Invoke(const Invocation& invocation);

/// The program while it runs, so that it can be signalled at any moment.
class Process {
 public:
  explicit Process(const Invocation& invocation);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  void Signal(int signal) const;
  /// Gives it its input, reads what it says, and waits for its end.
  Outcome Wait();

 private:
  const Invocation invocation_;
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
};

/// The program on a pseudo-terminal.
class Terminal {
 public:
  explicit Terminal(const Invocation& invocation);
  /// `state` is where the history is kept.
  Terminal(const std::vector<std::string>& arguments, const std::filesystem::path& state)
      : Terminal(Invocation{.arguments = arguments,
                            .environment = {{"XDG_STATE_HOME", state.string()}}}) {}
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void Type(const std::string& keys);
  /// Reads on until `text` was shown after what earlier calls waited for. Fails the test, and
  /// returns false, if that takes longer than ten seconds.
  bool WaitFor(const std::string& text);
  /// Waits for the prompt, and until the editor has taken the terminal over: the prompt is shown
  /// a moment before, and control keys typed in between would be the terminal's.
  bool WaitForPrompt();
  /// What was shown, escape sequences left out.
  const std::string& shown() const { return shown_; }
  /// What a person sees in the end: lines that were overwritten or erased are gone.
  std::vector<std::string> Screen() const;
  /// Waits for the end; -1 if it does not come within ten seconds.
  int Wait();

 private:
  bool Read(int milliseconds);

  int fd_ = -1;
  pid_t pid_ = -1;
  std::string raw_;
  std::string shown_;
  size_t seen_ = 0;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_CLI_PROGRAM_H_
