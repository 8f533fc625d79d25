// Why a model file cannot be run.
#ifndef LITERTLM_CLI_EXPLANATION_H_
#define LITERTLM_CLI_EXPLANATION_H_

#include <filesystem>
#include <vector>

#include "litertlm/error.h"

namespace litertlm {

/// All reasons that can be found: parts that are missing or damaged, and what the graph has that
/// this program does not. Empty for a file that can be run, and for a TFLite model that only lacks
/// its tokenizer. Throws where the container itself cannot be read.
std::vector<Error> WhyItCannotRun(const std::filesystem::path& file,
                                  const std::filesystem::path& tokenizer);

}  // namespace litertlm

#endif  // LITERTLM_CLI_EXPLANATION_H_
