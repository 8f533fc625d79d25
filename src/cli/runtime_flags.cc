#include "cli/runtime_flags.h"

#include "litertlm/error.h"

namespace litertlm {

void RuntimeFlags::Declare(Flags& flags) {
  flags.Option("--threads", "N", threads_, "Threads to use (one for each core)");
  flags.Option("--kv-cache-type", "TYPE", cache_type_,
               "How keys and values are kept: f16 or f32 (f16)");
  flags.Switch("--no-fusion", no_fusion_, "Run every operator of the file by itself, slowly");
}

ModelOptions RuntimeFlags::options() const {
  ModelOptions options{.threads = threads_.value_or(0), .fusion = !no_fusion_};
  const std::string type = cache_type_.value_or("f16");
  if (type != "f16" && type != "f32") {
    throw Error(ErrorCode::kUsage, "--kv-cache-type " + type + " is not known.",
                "Choose f16 (half the memory) or f32 (exact).");
  }
  options.cache_type = type == "f16" ? CacheType::kF16 : CacheType::kF32;
  return options;
}

}  // namespace litertlm
