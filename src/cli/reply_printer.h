// Shows a reply as it comes into being, and what is to be said about it afterwards.
#ifndef LITERTLM_CLI_REPLY_PRINTER_H_
#define LITERTLM_CLI_REPLY_PRINTER_H_

#include <string>

#include "litertlm/generation.h"

namespace litertlm {

/// The reply goes to standard output. A thought is not the reply: it is shown dimmed on standard
/// error where that is a terminal, and nowhere else. One printer for each reply.
class ReplyPrinter {
 public:
  void Print(const TextChunk& chunk);
  /// Ends the last line.
  void Finish();

 private:
  void EndThought();

  bool in_thought_ = false;
  bool line_is_open_ = false;
};

/// Counts, rates and memory, for standard error.
std::string FormatStats(const GenerationStats& stats);

/// One line: {"ids": […], "text": "…", "stop": "…"}, "thought" if there is one, "stats" if wanted.
std::string FormatJson(const Completion& completion, bool with_stats);

}  // namespace litertlm

#endif  // LITERTLM_CLI_REPLY_PRINTER_H_
