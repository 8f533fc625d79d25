#include "cli/chat.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/suggest.h"
#include "cli/interrupt.h"
#include "cli/line_editor.h"
#include "cli/reply_printer.h"
#include "cli/terminal.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr std::string_view kHelp =
    "  /clear         begin a new conversation\n"
    "  /system TEXT   begin a new conversation with this system prompt (none: TEXT left out)\n"
    "  /stats         show counts and rates after each reply, or stop showing them\n"
    "  /help          this text\n"
    "  /bye           leave, as Ctrl-D does\n"
    "  Ctrl-C         stop the reply; at the prompt, throw the line away\n"
    "  Alt-Enter      begin a new line; pasted text may have many\n";

std::filesystem::path HistoryFile() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/')
    return std::filesystem::path(state) / "litert-lm-cli/history";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : ".") / ".local/state/litert-lm-cli/history";
}

void Say(std::string_view text) { WriteErr(Dim(STDERR_FILENO, text) + "\n"); }

class ChatLoop {
 public:
  ChatLoop(const Model& model, ChatOptions options)
      : model_(model),
        options_(std::move(options)),
        conversation_(model_, options_.conversation),
        editor_("> ", HistoryFile()) {}

  void Run() {
    std::string message;
    for (;;) {
      switch (editor_.Read(message)) {
        case LineEditor::Result::kEnd:
          return;
        case LineEditor::Result::kCleared:
          break;
        case LineEditor::Result::kInterrupted:
          Say("Ctrl-D or /bye leaves.");
          break;
        case LineEditor::Result::kLine:
          if (!Handle(message)) return;
      }
    }
  }

 private:
  // False if the user wants to leave.
  bool Handle(const std::string& message) {
    if (message.find_first_not_of(" \t\n") == std::string::npos) return true;
    if (!IsCommand(message)) {
      Reply(message);
      return true;
    }
    const size_t space = message.find(' ');
    const std::string command = message.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : message.substr(space + 1);
    if (command == "/bye" || command == "/exit" || command == "/quit") return false;
    Execute(command, rest);
    return true;
  }

  // A slash and letters: "/etc/hosts" or "/2" begin a message as any other word does.
  static bool IsCommand(const std::string& message) {
    const std::string word = message.substr(0, message.find(' '));
    return word.size() > 1 && word[0] == '/' &&
           std::all_of(word.begin() + 1, word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  }

  void Execute(const std::string& command, const std::string& rest) {
    if (command == "/help") {
      WriteErr(kHelp);
    } else if (command == "/clear") {
      Restart("A new conversation.");
    } else if (command == "/system") {
      options_.conversation.system = rest;
      Restart(rest.empty() ? "A new conversation without a system prompt."
                           : "A new conversation with this system prompt.");
    } else if (command == "/stats") {
      options_.stats = !options_.stats;
      Say(options_.stats ? "Counts and rates are shown." : "Counts and rates are not shown.");
    } else {
      Say(fmt::format("There is no command {}. {}See /help.", command,
                      DidYouMean(command, {"/help", "/clear", "/system", "/stats", "/bye"})));
    }
  }

  void Restart(std::string_view why) {
    conversation_ = Conversation(model_, options_.conversation);
    Say(why);
  }

  void Reply(const std::string& message) {
    const InterruptGuard guard;
    ReplyPrinter printer;
    try {
      options_.generation.cancel = &InterruptGuard::requested();
      const Completion completion =
          conversation_.Send(message, options_.generation,
                             [&printer](const TextChunk& chunk) { printer.Print(chunk); });
      printer.Finish();
      if (completion.stop == StopReason::kCancelled) Say("[stopped]");
      if (completion.stop == StopReason::kContext) {
        Say(
            fmt::format("[stopped: the context of {} tokens is full; /clear begins a new "
                        "conversation]",
                        model_.context_length()));
      }
      if (options_.stats) WriteErr(Dim(STDERR_FILENO, FormatStats(completion.stats)));
    } catch (const Error& error) {
      printer.Finish();
      PrintError(error);
    }
    WriteErr("\n");
  }

  Model model_;
  ChatOptions options_;
  Conversation conversation_;
  LineEditor editor_;
};

}  // namespace

void Chat(const Model& model, const std::string& model_name, ChatOptions options) {
  ChatLoop loop(model, std::move(options));
  Say(fmt::format("{}, context of {} tokens. /help lists the commands, Ctrl-D leaves.", model_name,
                  model.context_length()));
  loop.Run();
}

}  // namespace litertlm
