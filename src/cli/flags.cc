#include "cli/flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <type_traits>

#include "base/suggest.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr char kProgram[] = "litert-lm-cli";

// Why the parser refused, in our own words where its own would not do.
[[noreturn]] void ThrowUsage(const CLI::App& app, const CLI::App* command,
                             const CLI::ParseError& error) {
  const std::string help = command == nullptr
                               ? fmt::format("See {} --help.", kProgram)
                               : fmt::format("See {} {} --help.", kProgram, command->get_name());
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const CLI::App& at = command != nullptr ? *command : app;
    const std::vector<std::string> rest = at.remaining();
    const std::string word = rest.empty() ? "" : rest.front().substr(0, rest.front().find('='));
    std::vector<std::string> known;
    for (const CLI::Option* option : at.get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
    const bool option = word.starts_with("-");
    throw Error(ErrorCode::kUsage,
                fmt::format("{} {}.", option ? "Unknown option" : "Unexpected argument", word),
                option ? DidYouMean(word, known) + help : help);
  }
  std::string reason = error.what();
  while (reason.ends_with('\n') || reason.ends_with('.')) reason.pop_back();
  throw Error(ErrorCode::kUsage, reason + ".", help);
}

// The parser would only say that a command is required.
void CheckCommandName(int argc, char** argv,
                      const std::vector<std::unique_ptr<Command>>& commands) {
  if (argc < 2 || argv[1][0] == '-') return;
  const std::string_view word = argv[1];
  std::vector<std::string> known;
  for (const auto& command : commands) {
    if (command->name() == word) return;
    known.emplace_back(command->name());
  }
  throw Error(ErrorCode::kUsage, fmt::format("Unknown command {}.", word),
              DidYouMean(word, known) + fmt::format("See {} --help.", kProgram));
}

// Appends the numbers of "1,2,3". `names` are those of the flag: "-p,--prompt".
void ParseNumbers(const std::string& names, const std::string& list, std::vector<int>& numbers) {
  const std::string name = names.substr(names.rfind(',') + 1);
  for (const std::string& word : CLI::detail::split(list, ',')) {
    int number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size()) {
      throw Error(ErrorCode::kUsage, fmt::format("{}: \"{}\" is not a whole number.", name, word),
                  "For example: 1,2,3");
    }
    numbers.push_back(number);
  }
}

std::string NotNegative(const std::string& number) {
  return number.starts_with('-') ? number + " is below 0" : "";
}

}  // namespace

Command* ParseCommandLine(int argc, char** argv,
                          const std::vector<std::unique_ptr<Command>>& commands) {
  CheckCommandName(argc, argv, commands);
  CLI::App app("Converts language models to the .litertlm format and runs them on the processor.",
               kProgram);
  app.set_version_flag("--version", std::string(kProgram) + " " LITERTLM_VERSION);
  app.get_formatter()->column_width(28);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.footer(
      "Example:\n  litert-lm-cli run tiny-qwen3 --prompt \"What is the capital of France?\"\n\n"
      "Each command explains itself: litert-lm-cli COMMAND --help");
  app.require_subcommand(1);
  Command* chosen = nullptr;
  CLI::App* parser = nullptr;
  for (const auto& command : commands) {
    CLI::App* sub =
        app.add_subcommand(std::string(command->name()), std::string(command->summary()));
    sub->group("Commands")->footer("Examples:\n" + std::string(command->examples()));
    // Only the flags of the command that is run cost anything.
    if (argc < 2 || command->name() != argv[1]) continue;
    chosen = command.get();
    parser = sub;
    Flags flags(*sub);
    command->Declare(flags);
  }
  if (argc < 2) {
    WriteOut(app.help());
    return nullptr;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    WriteOut(app.help());
    return nullptr;
  } catch (const CLI::CallForVersion& version) {
    WriteOut(std::string(version.what()) + "\n");
    return nullptr;
  } catch (const CLI::ParseError& error) {
    ThrowUsage(app, parser, error);
  }
  return chosen;
}

void Flags::Place(CLI::Option* option, const std::string& value) {
  option->type_name(value);
  if (!group_.empty()) option->group(group_);
}

template <typename Target>
void Flags::Add(const std::string& name, const std::string& value, Target& target,
                const std::string& help) {
  CLI::Option* option = app_.add_option(name, target, help);
  if constexpr (std::is_same_v<Target, std::optional<int>>) option->check(NotNegative);
  Place(option, value);
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
  Add(name, value, target, help);
}

void Flags::Option(const std::string& name, const std::string& value,
                   std::optional<std::filesystem::path>& target, const std::string& help) {
  const auto assign = [&target](const std::string& path) { target = path; };
  Place(app_.add_option_function<std::string>(name, assign, help), value);
}

void Flags::Option(const std::string& name, const std::string& value, std::optional<float>& target,
                   const std::string& help) {
  Add(name, value, target, help);
}

void Flags::Option(const std::string& name, const std::string& value, std::optional<int>& target,
                   const std::string& help) {
  Add(name, value, target, help);
}

void Flags::Option(const std::string& name, const std::string& value,
                   std::optional<uint64_t>& target, const std::string& help) {
  Add(name, value, target, help);
}

void Flags::Option(const std::string& name, const std::string& value, std::vector<int>& target,
                   const std::string& help) {
  const auto parse = [name, &target](const std::string& list) { ParseNumbers(name, list, target); };
  Place(app_.add_option_function<std::string>(name, parse, help), value);
}

void Flags::Option(const std::string& name, const std::string& value,
                   std::vector<std::string>& target, const std::string& help) {
  CLI::Option* option = app_.add_option(name, target, help);
  option->allow_extra_args(false);
  Place(option, value);
}

}  // namespace litertlm
