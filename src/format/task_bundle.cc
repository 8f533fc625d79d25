#include "format/task_bundle.h"

#include <algorithm>

#include "format/llm_parameters.h"
#include "format/zip.h"

namespace litertlm {
namespace {

// "TF_LITE_PREFILL_DECODE" is what sections of `.litertlm` files call "tf_lite_prefill_decode".
constexpr std::string_view kModelPrefix = "TF_LITE_";

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return text;
}

SectionType TypeOf(const ZipEntry& entry) {
  if (entry.name.starts_with(kModelPrefix)) return SectionType::kTfliteModel;
  if (entry.name == "TOKENIZER_MODEL") return TokenizerTypeOf(entry.bytes);
  if (entry.name != "METADATA" || entry.bytes.empty()) return SectionType::kGenericBinary;
  return IsLlmParameters(entry.bytes) ? SectionType::kLlmParameters : SectionType::kLlmMetadata;
}

}  // namespace

std::vector<Section> ReadTaskBundle(Bytes bytes, std::string_view where) {
  std::vector<Section> sections;
  for (const ZipEntry& entry : ReadZip(bytes, where)) {
    Section section{.type = TypeOf(entry),
                    .items = {{"entry", entry.name}},
                    .begin = entry.begin,
                    .end = entry.begin + entry.bytes.size(),
                    .bytes = entry.bytes};
    if (section.type == SectionType::kTfliteModel) {
      section.items.push_back({std::string(kModelTypeKey), LowerCase(entry.name)});
    }
    sections.push_back(std::move(section));
  }
  return sections;
}

}  // namespace litertlm
