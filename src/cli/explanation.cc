#include "cli/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "engine/companions.h"
#include "engine/model_state.h"
#include "format/model_file.h"
#include "runtime/decoder_faults.h"

namespace litertlm {
namespace {

class Reasons {
 public:
  void Add(const Error& error) {
    // That --tokenizer is missing is no fault of the file.
    if (error.code() == ErrorCode::kUsage) return;
    const bool known = std::ranges::any_of(
        list_, [&](const Error& other) { return other.message() == error.message(); });
    if (!known) list_.push_back(error);
  }
  void Try(const std::function<void()>& step) {
    try {
      step();
    } catch (const Error& error) {
      Add(error);
    }
  }
  std::vector<Error> Take() { return std::move(list_); }

 private:
  std::vector<Error> list_;
};

void ExplainModel(const ModelFile& file, Reasons& reasons) {
  const auto model = file.ReadModel(kPrefillDecodeModel);
  if (!model) return;
  const Companions companions(file);
  const std::vector<Error> faults = FindDecoderFaults(*model, companions.models());
  for (const Error& fault : faults) reasons.Add(fault);
  const std::string_view backends =
      file.Find(SectionType::kTfliteModel, kPrefillDecodeModel)->StringItem("backend_constraint");
  if (!faults.empty() && !backends.empty() && backends.find("cpu") == std::string_view::npos) {
    reasons.Add(Error(ErrorCode::kUnsupported,
                      fmt::format("{}: its model is made for {} only (backend_constraint).",
                                  file.name(), backends)));
  }
}

}  // namespace

std::vector<Error> WhyItCannotRun(const std::filesystem::path& file,
                                  const std::filesystem::path& tokenizer) {
  ModelState state(file, {.threads = 1, .tokenizer = tokenizer});
  Reasons reasons;
  reasons.Try([&] { state.metadata(); });
  reasons.Try([&] { state.tokenizer(); });
  reasons.Try([&] { state.settings(); });
  reasons.Try([&] { ExplainModel(ModelFile::Open(file), reasons); });
  // Last, for what only the whole shows: that there is no model, say.
  std::vector<Error> list = reasons.Take();
  if (list.empty()) {
    reasons.Try([&] { state.language_model(); });
    list = reasons.Take();
  }
  return list;
}

}  // namespace litertlm
