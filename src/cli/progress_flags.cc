#include "cli/progress_flags.h"

#include <fmt/format.h>

#include "litertlm/error.h"

namespace litertlm {

void ProgressFlags::Declare(Flags& flags) {
  flags.Switch("--quiet", quiet, "Say nothing but errors and warnings");
  flags.Option("--progress", "STYLE", progress, "auto (default), or json: one object a line");
}

ProgressStyle ProgressFlags::Style() const {
  if (progress && *progress != "auto" && *progress != "json") {
    throw Error(ErrorCode::kUsage, fmt::format("Unknown value for --progress: {}.", *progress),
                "Known: auto, json.");
  }
  if (quiet) return ProgressStyle::kQuiet;
  return progress == "json" ? ProgressStyle::kJson : ProgressStyle::kAuto;
}

}  // namespace litertlm
