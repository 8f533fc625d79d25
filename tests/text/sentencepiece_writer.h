// Writes small SentencePiece models.
#ifndef LITERTLM_TESTS_TEXT_SENTENCEPIECE_WRITER_H_
#define LITERTLM_TESTS_TEXT_SENTENCEPIECE_WRITER_H_

#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>

#include "text/sentencepiece_model.h"

namespace litertlm {

class SentencePieceWriter {
 public:
  SentencePieceWriter& Piece(std::string_view piece, float score,
                             PieceType type = PieceType::kNormal) {
    std::string message;
    protozero::pbf_writer fields(message);
    fields.add_string(1, piece.data(), piece.size());
    fields.add_float(2, score);
    fields.add_enum(3, static_cast<int32_t>(type));
    writer_.add_message(1, message);
    return *this;
  }
  /// Fields of TrainerSpec: 3 model type, 24 white space as a suffix, 35 byte fallback.
  SentencePieceWriter& Trainer(uint32_t field, int32_t value) { return Spec(2, field, value); }
  /// Fields of NormalizerSpec: 3 dummy prefix, 4 removal of extra white space, 5 escapes.
  SentencePieceWriter& Normalizer(uint32_t field, bool value) { return Spec(3, field, value); }
  /// `spec`: 3 is for encoding, 5 for decoding.
  SentencePieceWriter& CharacterMap(std::string_view bytes, uint32_t spec = 3) {
    std::string message;
    protozero::pbf_writer(message).add_bytes(2, bytes.data(), bytes.size());
    writer_.add_message(spec, message);
    return *this;
  }
  const std::string& model() const { return model_; }

 private:
  // Messages that come more than once are merged.
  SentencePieceWriter& Spec(uint32_t spec, uint32_t field, int32_t value) {
    std::string message;
    protozero::pbf_writer(message).add_int32(field, value);
    writer_.add_message(spec, message);
    return *this;
  }

  std::string model_;
  protozero::pbf_writer writer_{model_};
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_TEXT_SENTENCEPIECE_WRITER_H_
