// Pieces are read without building an object for each, since Gemma has 262,144 of them.
#include "text/sentencepiece_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <protozero/pbf_reader.hpp>

#include "litertlm/error.h"
#include "text/byte_piece.h"

namespace litertlm {
namespace {

constexpr size_t kMaxPieces = 1 << 24;

using WireType = protozero::pbf_wire_type;

// A field's number with the only wire type that it may have: damaged files have others.
constexpr uint32_t Field(protozero::pbf_tag_type number, WireType type) {
  return protozero::tag_and_type(number, type);
}

constexpr uint32_t kPieceField = Field(1, WireType::length_delimited);

// protozero's get_bool looks at the first byte of a number before it knows that there is one.
bool ReadBool(protozero::pbf_reader& message) { return message.get_uint64() != 0; }

std::string_view ReadView(protozero::pbf_reader& message) {
  const protozero::data_view view = message.get_view();
  return {view.data(), view.size()};
}

class ModelReader {
 public:
  ModelReader(SentencePieceModel& model, std::string_view where) : model_(model), where_(where) {}

  void ReadPieces(protozero::pbf_reader message, size_t bytes);
  void ReadTrainer(protozero::pbf_reader message);
  void ReadNormalizer(protozero::pbf_reader message);
  void ReadDenormalizer(protozero::pbf_reader message);
  void CheckAlgorithm() const;

 private:
  std::string_view ReadPiece(protozero::pbf_reader message);

  SentencePieceModel& model_;
  const std::string_view where_;
};

void ModelReader::ReadPieces(protozero::pbf_reader message, size_t bytes) {
  size_t count = 0;
  for (protozero::pbf_reader counted = message; counted.next(); counted.skip()) {
    if (counted.tag_and_type() == kPieceField) ++count;
  }
  count = std::min(count, kMaxPieces);
  model_.vocabulary.Reserve(count, bytes);
  model_.scores.reserve(count);
  model_.types.reserve(count);
  model_.byte_ids.fill(-1);
  std::vector<Vocabulary::Entry> block;
  while (message.next()) {
    if (message.tag_and_type() != kPieceField) {
      message.skip();
      continue;
    }
    const auto id = static_cast<TokenId>(model_.types.size());
    block.push_back({ReadPiece(message.get_message()), id});
    if (block.size() < Vocabulary::kBlock) continue;
    model_.vocabulary.AddAll(block);
    block.clear();
  }
  model_.vocabulary.AddAll(block);
}

// Notes all about the next piece but its text, which it returns.
std::string_view ModelReader::ReadPiece(protozero::pbf_reader message) {
  const auto id = static_cast<TokenId>(model_.types.size());
  std::string_view piece;
  float score = 0;
  PieceType type = PieceType::kNormal;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case Field(1, WireType::length_delimited):
        piece = ReadView(message);
        break;
      case Field(2, WireType::fixed32):
        score = message.get_float();
        break;
      case Field(3, WireType::varint):
        type = static_cast<PieceType>(message.get_enum());
        break;
      default:
        message.skip();
    }
  }
  if (piece.empty() || std::isnan(score) || model_.scores.size() >= kMaxPieces) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: piece {} of the SentencePiece model is not valid.", where_, id));
  }
  model_.scores.push_back(score);
  model_.types.push_back(type);
  if (type == PieceType::kUnknown) model_.unknown = id;
  if (type == PieceType::kByte) {
    const int byte = ByteOfPiece(piece);
    if (byte >= 0) model_.byte_ids[static_cast<size_t>(byte)] = id;
  }
  return piece;
}

void ModelReader::ReadTrainer(protozero::pbf_reader message) {
  while (message.next()) {
    switch (message.tag_and_type()) {
      case Field(3, WireType::varint):
        model_.algorithm = static_cast<SentencePieceAlgorithm>(message.get_enum());
        break;
      case Field(24, WireType::varint):
        model_.normalizer.space_as_suffix = ReadBool(message);
        break;
      case Field(35, WireType::varint):
        model_.byte_fallback = ReadBool(message);
        break;
      default:
        message.skip();
    }
  }
}

void ModelReader::ReadNormalizer(protozero::pbf_reader message) {
  SentencePieceNormalizer& normalizer = model_.normalizer;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case Field(2, WireType::length_delimited): {
        const std::string_view map = ReadView(message);
        normalizer.characters.reset();
        if (!map.empty()) normalizer.characters.emplace(map, where_);
        break;
      }
      case Field(3, WireType::varint):
        normalizer.add_dummy_prefix = ReadBool(message);
        break;
      case Field(4, WireType::varint):
        normalizer.remove_extra_spaces = ReadBool(message);
        break;
      case Field(5, WireType::varint):
        normalizer.escape_spaces = ReadBool(message);
        break;
      default:
        message.skip();
    }
  }
}

void ModelReader::ReadDenormalizer(protozero::pbf_reader message) {
  while (message.next()) {
    if (message.tag_and_type() == Field(2, WireType::length_delimited)) {
      if (ReadView(message).empty()) continue;
      throw Error(
          ErrorCode::kUnsupported,
          fmt::format("{}: the SentencePiece model changes decoded text by a character map, "
                      "which is not supported.",
                      where_));
    }
    message.skip();
  }
}

void ModelReader::CheckAlgorithm() const {
  if (model_.types.empty()) {
    throw Error(ErrorCode::kBadInput, fmt::format("{}: the SentencePiece model is empty.", where_));
  }
  switch (model_.algorithm) {
    case SentencePieceAlgorithm::kUnigram:
    case SentencePieceAlgorithm::kBpe:
      return;
  }
  throw Error(ErrorCode::kUnsupported,
              fmt::format("{}: SentencePiece model type {} is not supported; 1 (unigram) and 2 "
                          "(BPE) are.",
                          where_, static_cast<int32_t>(model_.algorithm)));
}

}  // namespace

SentencePieceModel ReadSentencePieceModel(Bytes bytes, std::string_view where) {
  SentencePieceModel model;
  ModelReader reader(model, where);
  try {
    protozero::pbf_reader message(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    reader.ReadPieces(message, bytes.size());
    while (message.next()) {
      switch (message.tag_and_type()) {
        case Field(2, WireType::length_delimited):
          reader.ReadTrainer(message.get_message());
          break;
        case Field(3, WireType::length_delimited):
          reader.ReadNormalizer(message.get_message());
          break;
        case Field(5, WireType::length_delimited):
          reader.ReadDenormalizer(message.get_message());
          break;
        default:
          message.skip();
      }
    }
  } catch (const protozero::exception& e) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{} is not a valid SentencePiece model: {}.", where, e.what()),
                "The file is damaged; fetch it again.");
  }
  reader.CheckAlgorithm();
  return model;
}

}  // namespace litertlm
