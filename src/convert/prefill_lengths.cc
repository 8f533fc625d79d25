#include "convert/prefill_lengths.h"

#include <fmt/format.h>

#include <algorithm>

#include "litertlm/error.h"

namespace litertlm {

std::vector<int> PrefillLengths(const std::vector<int>& requested, int cache_length) {
  std::vector<int> lengths = requested;
  if (requested == std::vector<int>{256}) {
    lengths = {8, 64, 128, 256, 512, 1024};
    std::erase_if(lengths, [&](int n) { return n > cache_length && n > 8; });
  }
  std::sort(lengths.begin(), lengths.end());
  lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  if (lengths.empty()) {
    throw Error(ErrorCode::kUsage, "--prefill-seq-len needs at least one length.");
  }
  const int shortest = lengths.front();
  if (shortest < 1 || lengths.back() > cache_length) {
    throw Error(ErrorCode::kUsage,
                fmt::format("The prefill length {} does not lie between 1 and the cache length {}.",
                            shortest < 1 ? shortest : lengths.back(), cache_length),
                "Change --prefill-seq-len or --kv-cache-max-len.");
  }
  if (cache_length % shortest != 0) {
    const int below = cache_length / shortest * shortest;
    throw Error(ErrorCode::kUsage,
                fmt::format("The cache length {} is not a multiple of {}, the shortest prefill "
                            "length.",
                            cache_length, shortest),
                fmt::format("Take --kv-cache-max-len {} or {}, or add a shorter length that "
                            "divides it to --prefill-seq-len.",
                            below, below + shortest));
  }
  return lengths;
}

}  // namespace litertlm
