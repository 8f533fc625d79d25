#include "cli/reply_printer.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/json.h"
#include "base/units.h"
#include "cli/process_memory.h"
#include "cli/terminal.h"

namespace litertlm {
void ReplyPrinter::Print(const TextChunk& chunk) {
  if (chunk.thought) {
    if (!IsTerminal(STDERR_FILENO)) return;
    in_thought_ = true;
    WriteErr(Dim(STDERR_FILENO, chunk.text));
    return;
  }
  EndThought();
  WriteOut(chunk.text);
  line_is_open_ = !chunk.text.ends_with('\n');
}

void ReplyPrinter::Finish() {
  EndThought();
  if (line_is_open_) WriteOut("\n");
  line_is_open_ = false;
}

void ReplyPrinter::EndThought() {
  if (in_thought_) WriteErr("\n\n");
  in_thought_ = false;
}

std::string FormatStats(const GenerationStats& stats) {
  const ProcessMemory memory = ReadProcessMemory();
  return fmt::format(
      "prompt       {:>6} tokens  {:>8.1f} tokens/s\n"
      "reply        {:>6} tokens  {:>8.1f} tokens/s\n"
      "first token  {:>6.0f} ms\n"
      "context      {:>6} tokens\n"
      "memory       {} private, {} at most with mapped files\n"
      "seed         {}\n",
      stats.prompt_tokens, stats.prompt_rate(), stats.generated_tokens, stats.reply_rate(),
      stats.prompt_seconds * 1000, stats.context_tokens, FormatBytes(memory.private_bytes),
      FormatBytes(memory.peak_bytes), stats.seed);
}

std::string FormatJson(const Completion& completion, bool with_stats) {
  Json json = {{"ids", completion.ids},
               {"text", completion.text},
               {"stop", std::string(StopReasonName(completion.stop))}};
  if (!completion.thought.empty()) json["thought"] = completion.thought;
  if (with_stats) {
    const GenerationStats& stats = completion.stats;
    const ProcessMemory memory = ReadProcessMemory();
    json["stats"] = {{"prompt_tokens", stats.prompt_tokens},
                     {"prompt_seconds", stats.prompt_seconds},
                     {"generated_tokens", stats.generated_tokens},
                     {"reply_seconds", stats.reply_seconds},
                     {"context_tokens", stats.context_tokens},
                     {"private_bytes", memory.private_bytes},
                     {"peak_bytes", memory.peak_bytes},
                     {"seed", stats.seed}};
  }
  return DumpJson(json) + "\n";
}

}  // namespace litertlm
