// The `.litertlm` container: a 32-byte prefix, a FlatBuffer header that lists sections, and the
// sections, each at a multiple of 16 KiB. Byte layout: docs/format.md.
#ifndef LITERTLM_FORMAT_LITERTLM_H_
#define LITERTLM_FORMAT_LITERTLM_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/file.h"

namespace litertlm {

/// Values as in the file; others exist and are kept.
enum class SectionType : uint8_t {
  kNone = 0,
  kGenericBinary = 1,
  kDeprecated = 2,
  kTfliteModel = 3,
  kSentencePiece = 4,
  kLlmMetadata = 5,
  kHfTokenizerZlib = 6,
  kTfliteWeights = 7,
  kEmbeddingMetadata = 8,
  kExecutorMetadata = 9,
};

/// "TFLiteModel", "SP_Tokenizer", …; "unknown (77)" for types this program does not know.
std::string SectionTypeName(SectionType type);

/// In the order of the union's tags, starting at 1 with u8.
using MetadataValue = std::variant<uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, float,
                                   bool, std::string, uint64_t, int64_t, double>;
struct KeyValue {
  std::string key;
  MetadataValue value;
};

struct Section {
  SectionType type = SectionType::kNone;
  std::vector<KeyValue> items;
  uint64_t begin = 0;  ///< Absolute offsets in the file; end is exclusive and without padding.
  uint64_t end = 0;
  Bytes bytes;  ///< A view of the file's mapping.

  /// The item's string (keys compare case-insensitively), or empty.
  std::string_view StringItem(std::string_view key) const;
};

/// Roles of TFLiteModel and TFLiteWeights sections: the item "model_type".
inline constexpr std::string_view kModelTypeKey = "model_type";
inline constexpr std::string_view kPrefillDecodeModel = "tf_lite_prefill_decode";
inline constexpr std::string_view kEmbedderModel = "tf_lite_embedder";

/// A container opened for reading. Every section was checked to lie inside the file. Immutable.
class LitertlmFile {
 public:
  /// Throws kNotFound, kIo, or kBadInput with the offset of what is wrong.
  static LitertlmFile Open(const std::filesystem::path& path);
  /// The same for bytes in memory, which must outlive the object.
  static LitertlmFile Parse(Bytes bytes, std::string name);
  /// True if the first bytes are those of a container.
  static bool Matches(Bytes bytes);

  const std::string& name() const { return name_; }  ///< For messages: the path.
  uint64_t size() const { return bytes_.size(); }
  uint32_t major_version() const { return version_[0]; }
  uint32_t minor_version() const { return version_[1]; }
  uint32_t patch_version() const { return version_[2]; }
  const std::vector<KeyValue>& system_metadata() const { return system_metadata_; }
  const std::vector<Section>& sections() const { return sections_; }

  /// The last section of that type (the rule of LiteRT-LM), or null. A `model_type` also has to
  /// match; a TFLite section without one counts as kPrefillDecodeModel.
  const Section* Find(SectionType type, std::string_view model_type = {}) const;

 private:
  MappedFile file_;
  Bytes bytes_;
  std::string name_;
  uint32_t version_[3] = {};
  std::vector<KeyValue> system_metadata_;
  std::vector<Section> sections_;
};

/// Writes a container front to back without holding any section in memory.
class LitertlmWriter {
 public:
  /// `produce` must write exactly `size` bytes; it is called once, from `Write`.
  void AddSection(SectionType type, std::vector<KeyValue> items, uint64_t size,
                  std::function<void(ByteSink&)> produce);
  void AddSystemMetadata(KeyValue entry) { system_metadata_.push_back(std::move(entry)); }

  uint64_t FileSize() const;
  void Write(ByteSink& sink) const;

 private:
  struct Pending {
    SectionType type;
    std::vector<KeyValue> items;
    uint64_t size;
    std::function<void(ByteSink&)> produce;
  };
  std::vector<KeyValue> system_metadata_;
  std::vector<Pending> sections_;
};

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_LITERTLM_H_
