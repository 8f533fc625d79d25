#include "cli/runtime_flags.h"

#include <fmt/format.h>

#include "litertlm/error.h"

namespace litertlm {

int ThreadCount(const char* flag, const std::optional<int>& given) {
  if (given && *given < 1) {
    throw Error(ErrorCode::kUsage, fmt::format("{} {} leaves nobody to do the work.", flag, *given),
                "Choose 1 or more, or leave it out: one for each core.");
  }
  return given.value_or(0);
}

void RuntimeFlags::Declare(Flags& flags) {
  flags.Option("--threads", "N", threads_, "Threads to use (one for each core)");
  flags.Option("--prefill-threads", "N", prefill_threads_,
               "Threads to use for prompts (as many as --threads)");
  flags.Option("--kv-cache-type", "TYPE", cache_type_,
               "How keys and values are kept: f16 or f32 (f16)");
  flags.Option("--context", "N", context_,
               "Tokens of the context, for a file that leaves that open (what it allows, or 4096)");
  flags.Switch("--no-fusion", no_fusion_, "Run every operator of the file by itself, slowly");
}

ModelOptions RuntimeFlags::options() const {
  ModelOptions options{.threads = ThreadCount("--threads", threads_),
                       .prefill_threads = ThreadCount("--prefill-threads", prefill_threads_),
                       .fusion = !no_fusion_};
  if (context_ && *context_ < 2) {
    throw Error(ErrorCode::kUsage, fmt::format("--context {} is too short.", *context_),
                "Choose 2 or more.");
  }
  options.context = context_.value_or(0);
  const std::string type = cache_type_.value_or("f16");
  if (type != "f16" && type != "f32") {
    throw Error(ErrorCode::kUsage, "--kv-cache-type " + type + " is not known.",
                "Choose f16 (half the memory) or f32 (exact).");
  }
  options.cache_type = type == "f16" ? CacheType::kF16 : CacheType::kF32;
  return options;
}

}  // namespace litertlm
