// What a model file holds, as JSON and as text.
#ifndef LITERTLM_CLI_INSPECTION_H_
#define LITERTLM_CLI_INSPECTION_H_

#include <filesystem>
#include <optional>
#include <string>

#include "base/json.h"
#include "litertlm/error.h"

namespace litertlm {

struct Inspection {
  Json report;
  std::optional<Error> error;  ///< The first section that cannot be read; the rest is reported.
};

/// `tokenizer`: a file that takes the place of the model's own, or empty. Throws where the
/// container itself cannot be read.
Inspection InspectFile(const std::filesystem::path& path,
                       const std::filesystem::path& tokenizer = {});

/// Of a report to which "cannot_run" was added: a list of sentences.
std::string FormatInspection(const Json& report);

}  // namespace litertlm

#endif  // LITERTLM_CLI_INSPECTION_H_
