// Which prefill signatures a file gets.
#ifndef LITERTLM_CONVERT_PREFILL_LENGTHS_H_
#define LITERTLM_CONVERT_PREFILL_LENGTHS_H_

#include <vector>

namespace litertlm {

/// The lengths that `requested` (ConvertOptions::prefill_seq_lens) stands for, ascending and each
/// once. Throws kUsage for lengths outside [1, cache_length], and if the shortest does not divide
/// the cache length: LiteRT-LM pads the last piece of a prompt to a whole signature, and refuses
/// prompts whose padding does not fit into the cache.
std::vector<int> PrefillLengths(const std::vector<int>& requested, int cache_length);

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_PREFILL_LENGTHS_H_
