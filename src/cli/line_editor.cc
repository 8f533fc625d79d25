#include "cli/line_editor.h"

#include <histedit.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <utility>

#include "cli/terminal.h"

namespace litertlm {
namespace {

constexpr int kHistoryLength = 1000;

// Terminals that know it put these around what is pasted (xterm's "bracketed paste").
constexpr char kAnnouncePastes[] = "\033[?2004h";
constexpr char kKeepPastesQuiet[] = "\033[?2004l";
constexpr std::wstring_view kPasteEnd = L"\033[201~";

}  // namespace

struct LineEditor::State {
  std::string prompt;
  std::filesystem::path history_file;
  EditLine* editor = nullptr;
  History* history = nullptr;
  bool cleared = false;
  bool interrupted = false;

  static State& Of(EditLine* editor) {
    void* state = nullptr;
    el_get(editor, EL_CLIENTDATA, &state);
    return *static_cast<State*>(state);
  }

  static char* Prompt(EditLine* editor) { return Of(editor).prompt.data(); }

  static unsigned char Interrupt(EditLine* editor, int) {
    const LineInfo* line = el_line(editor);
    State& state = Of(editor);
    (line->lastchar > line->buffer ? state.cleared : state.interrupted) = true;
    return CC_EOF;
  }

  static unsigned char Suspend(EditLine* editor, int) {
    el_set(editor, EL_PREP_TERM, 0);
    ::raise(SIGTSTP);
    el_set(editor, EL_PREP_TERM, 1);
    return CC_REDISPLAY;
  }

  static unsigned char NewLine(EditLine* editor, int) {
    return el_winsertstr(editor, L"\n") == 0 ? CC_REFRESH : CC_ERROR;
  }

  static unsigned char Paste(EditLine* editor, int) {
    std::wstring text;
    wchar_t c;
    while (!text.ends_with(kPasteEnd) && el_wgetc(editor, &c) == 1) {
      text += c == L'\r' ? L'\n' : c;
    }
    if (text.ends_with(kPasteEnd)) text.resize(text.size() - kPasteEnd.size());
    if (text.empty()) return CC_NORM;
    return el_winsertstr(editor, text.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  }

  void Bind() {
    el_set(editor, EL_EDITOR, "emacs");
    // Ctrl-C and Ctrl-Z arrive as characters while a line is edited, as signals at other times.
    el_set(editor, EL_SETTY, "-d", "-isig", nullptr);
    el_set(editor, EL_ADDFN, "litertlm-interrupt", "Throw the line away", &Interrupt);
    el_set(editor, EL_ADDFN, "litertlm-suspend", "Stop the program for now", &Suspend);
    el_set(editor, EL_ADDFN, "litertlm-new-line", "Begin a new line", &NewLine);
    el_set(editor, EL_ADDFN, "litertlm-paste", "Insert what is pasted", &Paste);
    const char* const keys[][2] = {
        {"^C", "litertlm-interrupt"},    {"\\e\\r", "litertlm-new-line"},
        {"\\e\\n", "litertlm-new-line"}, {"\\e[200~", "litertlm-paste"},
        {"^R", "em-inc-search-prev"},    {"\\e[1;5C", "em-next-word"},
        {"\\e[1;5D", "ed-prev-word"},    {"\\e[3~", "ed-delete-next-char"}};
    for (const auto& [key, function] : keys) {
      el_set(editor, EL_BIND, key, function, nullptr);
    }
  }

  void Remember(const std::string& message) {
    HistEvent event;
    if (message.find_first_not_of(" \t\n") == std::string::npos) return;
    ::history(history, &event, H_ENTER, message.c_str());
    std::error_code ignored;
    std::filesystem::create_directories(history_file.parent_path(), ignored);
    const mode_t mask = ::umask(0077);
    ::history(history, &event, H_SAVE, history_file.c_str());
    ::umask(mask);
  }
};

LineEditor::LineEditor(std::string prompt, std::filesystem::path history)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.prompt = std::move(prompt);
  s.history_file = std::move(history);
  // The editor works in wide characters; without a UTF-8 locale it would take bytes for letters.
  std::setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
  s.editor = el_init("litert-lm-cli", stdin, stderr, stderr);
  s.history = history_init();
  HistEvent event;
  ::history(s.history, &event, H_SETSIZE, kHistoryLength);
  ::history(s.history, &event, H_SETUNIQUE, 1);
  ::history(s.history, &event, H_LOAD, s.history_file.c_str());
  el_set(s.editor, EL_CLIENTDATA, state_.get());
  el_set(s.editor, EL_PROMPT, &State::Prompt);
  el_set(s.editor, EL_HIST, ::history, s.history);
  s.Bind();
}

LineEditor::~LineEditor() {
  el_end(state_->editor);
  history_end(state_->history);
}

LineEditor::Result LineEditor::Read(std::string& message) {
  State& s = *state_;
  s.cleared = s.interrupted = false;
  WriteErr(kAnnouncePastes);
  int count = 0;
  const char* line = el_gets(s.editor, &count);
  WriteErr(kKeepPastesQuiet);
  if (s.cleared || s.interrupted) {
    WriteErr("^C\n");
    return s.cleared ? Result::kCleared : Result::kInterrupted;
  }
  if (line == nullptr || count <= 0) {
    WriteErr("\n");
    return Result::kEnd;
  }
  message.assign(line, static_cast<size_t>(count));
  if (message.ends_with('\n')) message.pop_back();
  s.Remember(message);
  return Result::kLine;
}

}  // namespace litertlm
