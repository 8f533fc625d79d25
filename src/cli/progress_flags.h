// The flags of commands that work long.
#ifndef LITERTLM_CLI_PROGRESS_FLAGS_H_
#define LITERTLM_CLI_PROGRESS_FLAGS_H_

#include <optional>
#include <string>

#include "cli/flags.h"
#include "cli/progress.h"

namespace litertlm {

struct ProgressFlags {
  bool quiet = false;
  std::optional<std::string> progress;

  void Declare(Flags& flags);
  /// Throws kUsage for an unknown value.
  ProgressStyle Style() const;
};

}  // namespace litertlm

#endif  // LITERTLM_CLI_PROGRESS_FLAGS_H_
