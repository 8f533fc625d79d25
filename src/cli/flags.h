// Declares the flags of a command: one call gives parsing, checking and help.
//
// A thin front of CLI11, which takes ten seconds to compile: only flags.cc includes it.
#ifndef LITERTLM_CLI_FLAGS_H_
#define LITERTLM_CLI_FLAGS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace litertlm {

/// All targets must live until the command line is parsed.
class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(app) {}

  /// Flags declared from now on stand under this heading of the help.
  void Group(std::string heading) { group_ = std::move(heading); }

  void Argument(const std::string& name, std::string& target, const std::string& help);
  void Argument(const std::string& name, std::optional<std::string>& target,
                const std::string& help);
  /// Whole numbers, separated by spaces or commas.
  void Arguments(const std::string& name, std::vector<int>& target, const std::string& help);

  void Switch(const std::string& name, bool& target, const std::string& help);
  /// "--NAME" and "--no-NAME": absent if neither is given.
  void OnOff(const std::string& name, std::optional<bool>& target, const std::string& help,
             const std::string& help_off);

  void Option(const std::string& name, const std::string& value, std::optional<std::string>& target,
              const std::string& help);
  /// Not empty.
  void Option(const std::string& name, const std::string& value,
              std::optional<std::filesystem::path>& target, const std::string& help);
  void Option(const std::string& name, const std::string& value, std::optional<float>& target,
              const std::string& help);
  /// Zero or more.
  void Option(const std::string& name, const std::string& value, std::optional<int>& target,
              const std::string& help);
  void Option(const std::string& name, const std::string& value, std::optional<uint64_t>& target,
              const std::string& help);
  /// Whole numbers, separated by commas.
  void Option(const std::string& name, const std::string& value, std::vector<int>& target,
              const std::string& help);
  /// May be given several times.
  void Option(const std::string& name, const std::string& value, std::vector<std::string>& target,
              const std::string& help);

 private:
  template <typename Number>
  void AddNumber(const std::string& names, const std::string& value, std::optional<Number>& target,
                 const std::string& help);

  void Place(CLI::Option* option, const std::string& value);

  CLI::App& app_;
  std::string group_;
};

}  // namespace litertlm

#endif  // LITERTLM_CLI_FLAGS_H_
