// The file of a SentencePiece model: a protobuf ModelProto.
#ifndef LITERTLM_TEXT_SENTENCEPIECE_MODEL_H_
#define LITERTLM_TEXT_SENTENCEPIECE_MODEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "text/sentencepiece_normalizer.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace litertlm {

/// The numbers are those of the format.
enum class PieceType : uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};
enum class SentencePieceAlgorithm : int32_t { kUnigram = 1, kBpe = 2 };

/// The defaults are those of the format.
struct SentencePieceModel {
  Vocabulary vocabulary;
  std::vector<float> scores;     ///< By id, never NaN.
  std::vector<PieceType> types;  ///< By id.
  TokenId unknown = -1;
  std::array<TokenId, 256> byte_ids;  ///< -1 where there is none.
  SentencePieceAlgorithm algorithm = SentencePieceAlgorithm::kUnigram;
  bool byte_fallback = false;
  SentencePieceNormalizer normalizer;

  PieceType Type(TokenId id) const { return types[static_cast<size_t>(id)]; }
  float Score(TokenId id) const { return scores[static_cast<size_t>(id)]; }
};

/// Throws kBadInput, or kUnsupported naming what is not known.
SentencePieceModel ReadSentencePieceModel(Bytes bytes, std::string_view where);

}  // namespace litertlm

#endif  // LITERTLM_TEXT_SENTENCEPIECE_MODEL_H_
