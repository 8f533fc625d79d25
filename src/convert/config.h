// JSON files of a checkpoint, read with suspicion: every value that is used has a type and a range.
#ifndef LITERTLM_CONVERT_CONFIG_H_
#define LITERTLM_CONVERT_CONFIG_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace litertlm {

/// One JSON object. A key whose value is null counts as absent, as it does for the tools that write
/// these files. Every getter throws kBadInput naming the file and key when the value has another
/// type, lies outside its range, or is absent and has no fallback. Immutable; copies share.
class Config {
 public:
  static Config Read(const std::filesystem::path& file);
  /// Like `Read`, but a file that does not exist gives an empty object.
  static Config ReadIfExists(const std::filesystem::path& file);
  static Config Parse(std::string_view text, std::string where);

  const std::string& where() const { return where_; }  ///< For messages.

  bool Has(std::string_view key) const;
  int64_t Int(std::string_view key, int64_t min, int64_t max,
              std::optional<int64_t> fallback = {}) const;
  double Number(std::string_view key, double min, double max,
                std::optional<double> fallback = {}) const;
  bool Bool(std::string_view key, std::optional<bool> fallback = {}) const;
  std::string String(std::string_view key, std::optional<std::string> fallback = {}) const;
  /// Empty if absent.
  std::vector<std::string> Strings(std::string_view key) const;
  /// A list, or a single number as a list of one. Empty if absent.
  std::vector<int64_t> Ints(std::string_view key, int64_t min, int64_t max) const;
  std::optional<Config> Object(std::string_view key) const;

 private:
  Config(std::shared_ptr<const nlohmann::ordered_json> json, std::string where);
  const nlohmann::ordered_json* Find(std::string_view key) const;  // Null if absent.
  [[noreturn]] void Fail(std::string_view key, std::string_view what) const;
  template <typename T>
  T FallbackOrFail(std::string_view key, std::optional<T> fallback) const;

  std::shared_ptr<const nlohmann::ordered_json> json_;
  std::string where_;
};

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_CONFIG_H_
