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

std::string_view NameOf(CacheType type) {
  if (type == CacheType::kF32) return "f32";
  return type == CacheType::kF16 ? "f16" : "int8";
}

void CacheTypeFlag::Declare(Flags& flags) {
  flags.Option("--kv-cache-type", "TYPE", name_,
               "How keys and values are kept: f32, f16 or int8 (f16)");
}

CacheType CacheTypeFlag::type() const {
  if (!name_) return ModelOptions().cache_type;
  for (const CacheType type : {CacheType::kF32, CacheType::kF16, CacheType::kInt8}) {
    if (*name_ == NameOf(type)) return type;
  }
  throw Error(ErrorCode::kUsage, "--kv-cache-type " + *name_ + " is not known.",
              "Choose f32 (exact), f16 (half the memory) or int8 (a quarter).");
}

void RuntimeFlags::Declare(Flags& flags) {
  flags.Option("--threads", "N", threads_, "Threads to use (one for each core)");
  flags.Option("--prefill-threads", "N", prefill_threads_,
               "Threads to use for prompts (as many as --threads)");
  cache_type_.Declare(flags);
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
  options.cache_type = cache_type_.type();
  return options;
}

}  // namespace litertlm
