// The flags of every command that runs a model.
#ifndef LITERTLM_CLI_RUNTIME_FLAGS_H_
#define LITERTLM_CLI_RUNTIME_FLAGS_H_

#include <optional>
#include <string>
#include <string_view>

#include "cli/flags.h"
#include "litertlm/model.h"

namespace litertlm {

/// 0, which stands for one thread for each core, if nothing was given. Throws kUsage for a 0 that
/// was.
int ThreadCount(const char* flag, const std::optional<int>& given);

/// As --kv-cache-type names it.
std::string_view NameOf(CacheType type);

/// --kv-cache-type.
class CacheTypeFlag {
 public:
  void Declare(Flags& flags);
  /// Throws kUsage for a name that is none.
  CacheType type() const;

 private:
  std::optional<std::string> name_;
};

class RuntimeFlags {
 public:
  void Declare(Flags& flags);
  /// Throws kUsage for a value that is none of a flag's.
  ModelOptions options() const;

 private:
  std::optional<int> threads_;
  std::optional<int> prefill_threads_;
  CacheTypeFlag cache_type_;
  std::optional<int> context_;
  bool no_fusion_ = false;
};

}  // namespace litertlm

#endif  // LITERTLM_CLI_RUNTIME_FLAGS_H_
