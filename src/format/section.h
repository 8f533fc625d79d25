// The parts of a model file, whichever container holds them.
#ifndef LITERTLM_FORMAT_SECTION_H_
#define LITERTLM_FORMAT_SECTION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/file.h"

namespace litertlm {

/// Up to 255: values as in a `.litertlm` file; others exist there and are kept. Above: what only
/// other containers hold.
enum class SectionType : uint16_t {
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
  kHfTokenizerJson = 256,  ///< A tokenizer.json as it is.
  kLlmParameters = 257,    ///< MediaPipe's older form of the metadata.
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
inline constexpr std::string_view kLayerEmbedderModel = "tf_lite_per_layer_embedder";
inline constexpr std::string_view kAuxiliaryModel = "tf_lite_aux";

/// The item of a section that lies in a file of its own: its path.
inline constexpr std::string_view kFileKey = "file";

/// The last section of that type (the rule of LiteRT-LM), or null. A `model_type` also has to
/// match; a TFLite section without one counts as kPrefillDecodeModel.
const Section* FindSection(const std::vector<Section>& sections, SectionType type,
                           std::string_view model_type = {});

/// What the bytes of a tokenizer's file are: kHfTokenizerJson if they begin as JSON does, else
/// kSentencePiece.
SectionType TokenizerTypeOf(Bytes bytes);

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_SECTION_H_
