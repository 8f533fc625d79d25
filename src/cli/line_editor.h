// Reads messages from a terminal, with editing and a history that is kept in a file.
#ifndef LITERTLM_CLI_LINE_EDITOR_H_
#define LITERTLM_CLI_LINE_EDITOR_H_

#include <filesystem>
#include <memory>
#include <string>

namespace litertlm {

/// Enter sends; Alt-Enter begins a new line; what is pasted arrives as one message, whatever lines
/// it has. One at a time, on the process's terminal; the editing is shown on standard error.
class LineEditor {
 public:
  enum class Result {
    kLine,
    kCleared,      ///< Ctrl-C threw away what was typed.
    kInterrupted,  ///< Ctrl-C, and there was nothing to throw away.
    kEnd,          ///< Ctrl-D.
  };

  /// `history` is made, readable by its owner only, when there is something to keep.
  LineEditor(std::string prompt, std::filesystem::path history);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  /// `message` comes without the newline at its end.
  Result Read(std::string& message);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace litertlm

#endif  // LITERTLM_CLI_LINE_EDITOR_H_
