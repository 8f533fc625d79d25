// A model file of any kind: a `.litertlm` container, a `.task` bundle or a bare TFLite model. What
// reads models asks this for the parts and need not know which container holds them.
#ifndef LITERTLM_FORMAT_MODEL_FILE_H_
#define LITERTLM_FORMAT_MODEL_FILE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "format/llm_metadata.h"
#include "format/section.h"
#include "format/tflite.h"

namespace litertlm {

enum class ContainerKind { kLitertlm, kTask, kTflite };

/// "litertlm", "task" or "tflite".
std::string_view ContainerKindName(ContainerKind kind);

/// A model file opened for reading. Every section was checked to lie inside the file. Immutable.
class ModelFile {
 public:
  /// Tells the kind by the content. A `tokenizer` file (tokenizer.json or a SentencePiece model)
  /// takes the place of what the model file has. To a TFLite model alone belong those beside it
  /// that have the names under which litert-torch exports them: embedder.tflite,
  /// per_layer_embedder.tflite and auxiliary.tflite. Throws kNotFound, kDenied, kIo; kBadInput for
  /// a file of no known kind and for damaged ones; kUnsupported as ReadZip does.
  static ModelFile Open(const std::filesystem::path& path,
                        const std::filesystem::path& tokenizer = {});
  /// The same for bytes in memory, which must outlive the object.
  static ModelFile Parse(Bytes bytes, std::string name);

  const std::string& name() const { return name_; }  ///< For messages: the path.
  uint64_t size() const { return size_; }
  ContainerKind kind() const { return kind_; }
  const std::string& version() const { return version_; }  ///< "1.5.0"; only of kLitertlm.
  const std::vector<KeyValue>& system_metadata() const { return system_metadata_; }
  const std::vector<Section>& sections() const { return sections_; }
  /// The file in which a section lies, for messages: this one, or one from beside it.
  std::string NameOf(const Section& section) const;

  /// FindSection among its own.
  const Section* Find(SectionType type, std::string_view model_type = {}) const {
    return FindSection(sections_, type, model_type);
  }
  /// The section that tokenizes: SentencePiece before Hugging Face's (the rule of LiteRT-LM). Null
  /// where there is none.
  const Section* FindTokenizer() const;

  /// The model in the role `model_type`, with its weights; nothing where the file has none. A view
  /// of this object.
  std::optional<TfliteModel> ReadModel(std::string_view model_type) const;
  /// The metadata, whichever form the file has it in; nothing where it has none.
  std::optional<proto::LlmMetadata> ReadMetadata() const;
  /// Whether the tokenizer's pieces spell bytes with GPT-2's stand-in characters, which a `.task`
  /// bundle says in its metadata.
  bool spells_bytes_as_unicode() const;

 private:
  void ReplaceTokenizer(const std::filesystem::path& path);
  void AddModelsBeside(const std::filesystem::path& path);
  void AddFile(MappedFile file, SectionType type, std::vector<KeyValue> items);

  MappedFile file_;
  std::vector<MappedFile> other_files_;  ///< The tokenizer, and models beside a TFLite model.
  std::string name_;
  uint64_t size_ = 0;
  ContainerKind kind_ = ContainerKind::kLitertlm;
  std::string version_;
  std::vector<KeyValue> system_metadata_;
  std::vector<Section> sections_;
};

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_MODEL_FILE_H_
