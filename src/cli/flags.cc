#include "cli/flags.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <type_traits>

#include "base/suggest.h"
#include "cli/command.h"
#include "cli/help_text.h"
#include "cli/terminal.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr char kProgram[] = "litert-lm-cli";

constexpr std::string_view kGeneralFlags[] = {"-h", "--help", "-V", "--version"};

std::string SeeHelp(std::string_view command = "") {
  return fmt::format("See {}{}{} --help.", kProgram, command.empty() ? "" : " ", command);
}

// A word that has no place in the command line.
[[noreturn]] void ThrowUnknown(const CLI::App& at, const std::string& argument) {
  const std::string word = argument.substr(0, argument.find('='));
  if (!word.starts_with('-')) {
    throw Error(ErrorCode::kUsage, fmt::format("Unexpected argument {}.", word),
                SeeHelp(at.get_name()));
  }
  std::vector<std::string> known;
  bool argument_missing = false;
  for (const CLI::Option* option : at.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    argument_missing = argument_missing || (option->get_positional() && option->count() == 0);
  }
  throw Error(ErrorCode::kUsage, fmt::format("Unknown option {}.", word),
              DidYouMean(word, known) +
                  (argument_missing ? "Put -- before an argument that begins with a dash. " : "") +
                  SeeHelp(at.get_name()));
}

// Why the parser refused, in our own words where its own would not do.
[[noreturn]] void ThrowUsage(const CLI::App& at, const CLI::ParseError& error) {
  const std::vector<std::string> rest = at.remaining();
  if (!rest.empty() && (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr ||
                        dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)) {
    ThrowUnknown(at, rest.front());
  }
  std::string reason = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    // "--name: 1 required TYPE missing", "--name: At Most 1 required but received 2".
    const bool missing = reason.ends_with("missing");
    reason = reason.substr(0, reason.find(':')) +
             (missing ? " needs a value" : " is given more than once");
  }
  while (reason.ends_with('\n') || reason.ends_with('.')) reason.pop_back();
  throw Error(ErrorCode::kUsage, reason + ".", SeeHelp(at.get_name()));
}

// The parser would only say that a command is required.
void CheckCommandName(const std::string& word,
                      const std::vector<std::unique_ptr<Command>>& commands) {
  if (std::ranges::find(kGeneralFlags, word) != std::end(kGeneralFlags)) return;
  if (word.starts_with('-')) {
    throw Error(ErrorCode::kUsage, fmt::format("There is no command before {}.", word),
                "A command comes first: run, for example. " + SeeHelp());
  }
  std::vector<std::string> known;
  for (const auto& command : commands) {
    if (command->name() == word) return;
    known.emplace_back(command->name());
  }
  throw Error(ErrorCode::kUsage, fmt::format("Unknown command {}.", word),
              DidYouMean(word, known) + SeeHelp());
}

// The words of the command line, in the one form that the parser takes for each thing.
std::vector<std::string> Words(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    // The parser would take the next word for the value of "--name=".
    const bool empty_value = word.starts_with("--") && word.find('=') + 1 == word.size();
    words.emplace_back(empty_value ? word.substr(0, word.size() - 1) : word);
    if (empty_value) words.emplace_back();
    if (word == "--") {
      words.insert(words.end(), argv + i + 1, argv + argc);
      break;
    }
  }
  // "help", "help run", "--help run": "--help", "run --help".
  if (words.empty()) words = {"--help"};
  if (words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    if (words.size() > 1) {
      words = {words[1], "--help"};
    } else {
      words = {"--help"};
    }
  }
  return words;
}

// The last of the names of a flag, "-p,--n-prompt".
std::string LongName(const std::string& names) { return names.substr(names.rfind(',') + 1); }

template <typename Number>
Number ParseNumber(const std::string& flag, const std::string& word, const std::string& hint) {
  Number number{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error == std::errc::result_out_of_range) {
    throw Error(ErrorCode::kUsage, fmt::format("{}: {} is out of range.", flag, word), hint);
  }
  if (error != std::errc() || end != word.data() + word.size()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{}: \"{}\" is not a {}number.", flag, word,
                            std::is_integral_v<Number> ? "whole " : ""),
                hint);
  }
  return number;
}

// Appends the numbers of "1,2,3".
void ParseNumbers(const std::string& flag, const std::string& list, std::vector<int>& numbers) {
  for (const std::string& word : CLI::detail::split(list, ',')) {
    numbers.push_back(ParseNumber<int>(flag, CLI::detail::trim_copy(word), "For example: 1,2,3"));
  }
}

void RefuseNegative(const std::string& flag, const std::string& word, const std::string& hint) {
  if (word.size() < 2 || word[0] != '-' || word[1] < '0' || word[1] > '9') return;
  throw Error(ErrorCode::kUsage, fmt::format("{}: {} is below 0.", flag, word), hint);
}

}  // namespace

Command* ParseCommandLine(int argc, char** argv,
                          const std::vector<std::unique_ptr<Command>>& commands) {
  std::vector<std::string> words = Words(argc, argv);
  CheckCommandName(words[0], commands);
  CLI::App app("Converts language models to the .litertlm format and runs them on the processor.",
               kProgram);
  app.set_version_flag("-V,--version", std::string(kProgram) + " " LITERTLM_VERSION);
  app.get_formatter()->column_width(kHelpColumn);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.footer(
      "Example:\n  litert-lm-cli run tiny-qwen3 --prompt \"What is the capital of France?\"\n\n"
      "Each command explains itself: litert-lm-cli COMMAND --help");
  app.require_subcommand(1);
  Command* chosen = nullptr;
  const CLI::App* parser = &app;
  for (const auto& command : commands) {
    CLI::App* sub =
        app.add_subcommand(std::string(command->name()), std::string(command->summary()));
    sub->group("Commands")->footer("Examples:\n" + std::string(command->examples()));
    // Only the flags of the command that is run cost anything.
    if (command->name() != words[0]) continue;
    chosen = command.get();
    parser = sub;
    Flags flags(*sub);
    command->Declare(flags);
  }
  try {
    std::reverse(words.begin(), words.end());  // As the parser wants them.
    app.parse(words);
  } catch (const CLI::CallForHelp&) {
    const auto width = static_cast<size_t>(std::clamp(TerminalWidth(STDOUT_FILENO), 60, 100));
    WriteOut(LayOutHelp(app.help(), width));
    return nullptr;
  } catch (const CLI::CallForVersion& version) {
    WriteOut(std::string(version.what()) + "\n");
    return nullptr;
  } catch (const CLI::ParseError& error) {
    ThrowUsage(*parser, error);
  }
  return chosen;
}

void Flags::Place(CLI::Option* option, const std::string& value) {
  option->type_name(value);
  if (!group_.empty()) option->group(group_);
}

template <typename Number>
void Flags::AddNumber(const std::string& names, const std::string& value,
                      std::optional<Number>& target, const std::string& help) {
  const auto parse = [flag = LongName(names), hint = SeeHelp(app_.get_name()),
                      &target](const std::string& word) {
    if constexpr (std::is_integral_v<Number>) RefuseNegative(flag, word, hint);
    target = ParseNumber<Number>(flag, word, hint);
  };
  Place(app_.add_option_function<std::string>(names, parse, help), value);
}

void Flags::Argument(const std::string& name, std::string& target, const std::string& help) {
  app_.add_option(name, target, help)->required()->type_name("");
}

void Flags::Argument(const std::string& name, std::optional<std::string>& target,
                     const std::string& help) {
  app_.add_option(name, target, help)->type_name("");
}

void Flags::Arguments(const std::string& name, std::vector<int>& target, const std::string& help) {
  const auto parse = [name, &target](const std::vector<std::string>& words) {
    for (const std::string& word : words) ParseNumbers(name, word, target);
  };
  app_.add_option_function<std::vector<std::string>>(name, parse, help)->required()->type_name("");
}

void Flags::Switch(const std::string& name, bool& target, const std::string& help) {
  Place(app_.add_flag(name, target, help), "");
}

void Flags::OnOff(const std::string& name, std::optional<bool>& target, const std::string& help,
                  const std::string& help_off) {
  Place(app_.add_flag_callback(
            "--" + name, [&target] { target = true; }, help),
        "");
  Place(app_.add_flag_callback(
            "--no-" + name, [&target] { target = false; }, help_off),
        "");
}

void Flags::Option(const std::string& name, const std::string& value,
                   std::optional<std::string>& target, const std::string& help) {
  Place(app_.add_option(name, target, help), value);
}

void Flags::Option(const std::string& name, const std::string& value,
                   std::optional<std::filesystem::path>& target, const std::string& help) {
  const auto assign = [name, hint = SeeHelp(app_.get_name()), &target](const std::string& path) {
    if (path.empty()) throw Error(ErrorCode::kUsage, name + ": the name is empty.", hint);
    target = path;
  };
  Place(app_.add_option_function<std::string>(name, assign, help), value);
}

void Flags::Option(const std::string& name, const std::string& value, std::optional<float>& target,
                   const std::string& help) {
  AddNumber(name, value, target, help);
}

void Flags::Option(const std::string& name, const std::string& value, std::optional<int>& target,
                   const std::string& help) {
  AddNumber(name, value, target, help);
}

void Flags::Option(const std::string& name, const std::string& value,
                   std::optional<uint64_t>& target, const std::string& help) {
  AddNumber(name, value, target, help);
}

void Flags::Option(const std::string& name, const std::string& value, std::vector<int>& target,
                   const std::string& help) {
  const auto parse = [flag = LongName(name), &target](const std::string& list) {
    ParseNumbers(flag, list, target);
  };
  Place(app_.add_option_function<std::string>(name, parse, help), value);
}

void Flags::Option(const std::string& name, const std::string& value,
                   std::vector<std::string>& target, const std::string& help) {
  CLI::Option* option = app_.add_option(name, target, help);
  option->allow_extra_args(false);
  Place(option, value);
}

}  // namespace litertlm
