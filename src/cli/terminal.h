// Standard output and standard error: what goes where, and how it looks on a terminal.
#ifndef LITERTLM_CLI_TERMINAL_H_
#define LITERTLM_CLI_TERMINAL_H_

#include <string>
#include <string_view>

#include "litertlm/error.h"

namespace litertlm {

/// Thrown when the reader of standard output has gone (`| head -1`): the program ends quietly.
struct ClosedPipe {};
/// What a shell reports for a program that a closed pipe ended: 128 + SIGPIPE.
inline constexpr int kClosedPipeStatus = 141;

/// Results only. Throws ClosedPipe, or kIo if writing fails otherwise.
void WriteOut(std::string_view text);
/// Everything else; failing to say something is no failure.
void WriteErr(std::string_view text);

bool IsTerminal(int fd);
/// On a terminal, unless NO_COLOR is set or TERM is "dumb" (no-color.org).
bool UsesColour(int fd);
int TerminalWidth(int fd);  ///< Columns; 80 where nobody knows.

/// `text`, between escape sequences if `fd` shows colours.
std::string Dim(int fd, std::string_view text);
std::string Bold(int fd, std::string_view text);

/// "error: …" and, if there is one, "hint: …", on standard error.
void PrintError(const Error& error);

}  // namespace litertlm

#endif  // LITERTLM_CLI_TERMINAL_H_
