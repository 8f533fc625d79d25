#include "format/section.h"

#include <fmt/format.h>
#include <strings.h>

#include <array>

namespace litertlm {
namespace {

constexpr std::array<std::string_view, 10> kTypeNames = {"NONE",
                                                         "GenericBinaryData",
                                                         "Deprecated",
                                                         "TFLiteModel",
                                                         "SP_Tokenizer",
                                                         "LlmMetadataProto",
                                                         "HF_Tokenizer_Zlib",
                                                         "TFLiteWeights",
                                                         "EmbeddingMetadataProto",
                                                         "ExecutorMetadataProto"};

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string SectionTypeName(SectionType type) {
  if (type == SectionType::kHfTokenizerJson) return "HF_Tokenizer_Json";
  if (type == SectionType::kLlmParameters) return "LlmParametersProto";
  const auto index = static_cast<size_t>(type);
  if (index < kTypeNames.size()) return std::string(kTypeNames[index]);
  return fmt::format("unknown ({})", index);
}

std::string_view Section::StringItem(std::string_view key) const {
  for (const KeyValue& item : items) {
    if (!EqualIgnoringCase(item.key, key)) continue;
    if (const auto* text = std::get_if<std::string>(&item.value)) return *text;
  }
  return {};
}

const Section* FindSection(const std::vector<Section>& sections, SectionType type,
                           std::string_view model_type) {
  const Section* found = nullptr;
  for (const Section& section : sections) {
    if (section.type != type) continue;
    std::string_view role = section.StringItem(kModelTypeKey);
    if (role.empty()) role = kPrefillDecodeModel;
    if (model_type.empty() || EqualIgnoringCase(role, model_type)) found = &section;
  }
  return found;
}

SectionType TokenizerTypeOf(Bytes bytes) {
  const std::string_view text = AsText(bytes);
  const size_t begin = text.find_first_not_of(" \t\r\n");
  const bool json = begin != std::string_view::npos && text[begin] == '{';
  return json ? SectionType::kHfTokenizerJson : SectionType::kSentencePiece;
}

}  // namespace litertlm
