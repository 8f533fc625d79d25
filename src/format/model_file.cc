#include "format/model_file.h"

#include <fmt/format.h>

#include "format/foreign_format.h"
#include "format/litertlm.h"
#include "format/llm_parameters.h"
#include "format/task_bundle.h"
#include "format/zip.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr std::string_view kTfliteIdentifier = "TFL3";  // At byte 4, as in every FlatBuffer.

bool IsTflite(Bytes bytes) {
  return bytes.size() >= 8 && AsText(bytes.subspan(4, 4)) == kTfliteIdentifier;
}

/// The files into which litert-torch's export_hf puts what belongs to a decoder.
struct FileBeside {
  std::string_view name;
  std::string_view model_type;
};
constexpr FileBeside kFilesBeside[] = {
    {"embedder.tflite", kEmbedderModel},
    {"per_layer_embedder.tflite", kLayerEmbedderModel},
    {"auxiliary.tflite", kAuxiliaryModel},
};

}  // namespace

std::string_view ContainerKindName(ContainerKind kind) {
  switch (kind) {
    case ContainerKind::kLitertlm:
      return "litertlm";
    case ContainerKind::kTask:
      return "task";
    case ContainerKind::kTflite:
      return "tflite";
  }
  return "unknown";
}

ModelFile ModelFile::Open(const std::filesystem::path& path,
                          const std::filesystem::path& tokenizer) {
  MappedFile mapping = MappedFile::Open(path);
  ModelFile file = Parse(mapping.bytes(), path.string());
  file.file_ = std::move(mapping);
  if (file.kind_ == ContainerKind::kTflite) file.AddModelsBeside(path);
  if (!tokenizer.empty()) file.ReplaceTokenizer(tokenizer);
  return file;
}

ModelFile ModelFile::Parse(Bytes bytes, std::string name) {
  ModelFile file;
  if (LitertlmFile::Matches(bytes)) {
    const LitertlmFile container = LitertlmFile::Parse(bytes, name);
    file.version_ = fmt::format("{}.{}.{}", container.major_version(), container.minor_version(),
                                container.patch_version());
    file.system_metadata_ = container.system_metadata();
    file.sections_ = container.sections();
  } else if (IsZip(bytes)) {
    file.kind_ = ContainerKind::kTask;
    file.sections_ = ReadTaskBundle(bytes, name);
  } else if (IsTflite(bytes)) {
    file.kind_ = ContainerKind::kTflite;
    file.sections_.push_back({.type = SectionType::kTfliteModel,
                              .items = {},
                              .begin = 0,
                              .end = bytes.size(),
                              .bytes = bytes});
  } else {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{} is not a model: neither a .litertlm file (which starts with "
                            "LITERTLM), nor a .task bundle, nor a TFLite model.",
                            name),
                std::string(ForeignFormatHint(bytes)));
  }
  file.name_ = std::move(name);
  file.size_ = bytes.size();
  return file;
}

void ModelFile::ReplaceTokenizer(const std::filesystem::path& path) {
  MappedFile file = MappedFile::Open(path);
  while (const Section* own = FindTokenizer())
    sections_.erase(sections_.begin() + (own - sections_.data()));
  const SectionType type = TokenizerTypeOf(file.bytes());
  AddFile(std::move(file), type, {{std::string(kFileKey), path.string()}});
}

void ModelFile::AddModelsBeside(const std::filesystem::path& path) {
  for (const auto& [name, model_type] : kFilesBeside) {
    const std::filesystem::path beside = path.parent_path() / name;
    std::error_code ignored;
    if (path.filename() == name || !std::filesystem::is_regular_file(beside, ignored)) continue;
    MappedFile file = MappedFile::Open(beside);
    if (!IsTflite(file.bytes())) continue;
    AddFile(std::move(file), SectionType::kTfliteModel,
            {{std::string(kModelTypeKey), std::string(model_type)},
             {std::string(kFileKey), beside.string()}});
  }
}

void ModelFile::AddFile(MappedFile file, SectionType type, std::vector<KeyValue> items) {
  const Bytes bytes = file.bytes();
  sections_.push_back(
      {.type = type, .items = std::move(items), .begin = 0, .end = bytes.size(), .bytes = bytes});
  other_files_.push_back(std::move(file));
}

std::string ModelFile::NameOf(const Section& section) const {
  const std::string_view own = section.StringItem(kFileKey);
  return own.empty() ? name_ : std::string(own);
}

const Section* ModelFile::FindTokenizer() const {
  for (const SectionType type : {SectionType::kSentencePiece, SectionType::kHfTokenizerZlib,
                                 SectionType::kHfTokenizerJson}) {
    if (const Section* section = Find(type)) return section;
  }
  return nullptr;
}

std::optional<TfliteModel> ModelFile::ReadModel(std::string_view model_type) const {
  const Section* model = Find(SectionType::kTfliteModel, model_type);
  if (model == nullptr) return std::nullopt;
  const Section* weights = Find(SectionType::kTfliteWeights, model_type);
  return TfliteModel::Parse(model->bytes, weights != nullptr ? weights->bytes : Bytes(),
                            NameOf(*model));
}

std::optional<proto::LlmMetadata> ModelFile::ReadMetadata() const {
  if (const Section* section = Find(SectionType::kLlmMetadata)) {
    return ParseLlmMetadata(section->bytes, name_);
  }
  if (const Section* section = Find(SectionType::kLlmParameters)) {
    return ParseLlmParameters(section->bytes, name_);
  }
  return std::nullopt;
}

bool ModelFile::spells_bytes_as_unicode() const {
  const Section* section = Find(SectionType::kLlmParameters);
  return section != nullptr && SpellsBytesAsUnicode(section->bytes);
}

}  // namespace litertlm
