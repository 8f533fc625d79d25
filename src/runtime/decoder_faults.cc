#include "runtime/decoder_faults.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>

#include "graph/import.h"
#include "graph/missing_operators.h"
#include "runtime/decoder_signature.h"
#include "runtime/split_cache.h"

namespace litertlm {
namespace {

/// Those that CompileLanguageModel would read.
std::vector<std::string> KeysOf(const TfliteModel& model) {
  const std::vector<std::string> all = SignatureKeys(model);
  if (std::find(all.begin(), all.end(), kDecodeKey) == all.end()) return {};
  std::vector<std::string> keys = PrefillKeys(model);
  keys.insert(keys.begin(), std::string(kDecodeKey));
  return keys;
}

/// One sentence for each operator, with the signatures that it stands in.
std::vector<Error> MissingOperatorFaults(const TfliteModel& model,
                                         const std::vector<std::string>& keys) {
  std::map<std::string, std::vector<std::string>> places;
  for (const std::string& key : keys) {
    for (const auto& [reason, count] : MissingOperators(model, key)) {
      places[reason].push_back(fmt::format("{} in '{}'", count, key));
    }
  }
  std::vector<Error> faults;
  for (const auto& [reason, where] : places) {
    faults.emplace_back(ErrorCode::kUnsupported,
                        fmt::format("{}: {} ({}).", model.name(), reason, fmt::join(where, ", ")));
  }
  return faults;
}

}  // namespace

std::vector<Error> FindDecoderFaults(const TfliteModel& model, const CompanionModels& companions) {
  std::vector<Error> faults;
  try {
    CompileLanguageModel(model, {.threads = 1}, companions);
    return faults;
  } catch (const Error& error) {
    // It is the first that was met, and stays if nothing else says it better.
    faults.push_back(error);
  }
  const std::vector<std::string> keys = KeysOf(model);
  if (std::vector<Error> missing = MissingOperatorFaults(model, keys); !missing.empty()) {
    return missing;
  }
  Workers workers(1);
  for (const std::string& key : keys) {
    try {
      const int64_t context = RuntimeOptions().open_context;
      ReadDecoderSignature(ImportDecoder(model, key, companions.auxiliary, context, workers));
    } catch (const Error& error) {
      if (error.message() != faults.front().message()) faults.push_back(error);
    }
  }
  return faults;
}

}  // namespace litertlm
