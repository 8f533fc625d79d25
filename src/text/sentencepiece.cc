// SentencePiece models of type BPE. The file is a protobuf ModelProto; its pieces are read without
// building an object for each, since Gemma has 262,144 of them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <protozero/pbf_reader.hpp>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"
#include "litertlm/error.h"
#include "text/byte_piece.h"
#include "text/merge.h"
#include "text/normalizer.h"
#include "text/piece_matcher.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"
#include "text/word_cache.h"
#include "text/word_cutter.h"

namespace litertlm {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581 stands for a space.
constexpr size_t kMaxPieces = 1 << 24;

using WireType = protozero::pbf_wire_type;

// A field's number with the only wire type that it may have: damaged files have others.
constexpr uint32_t Field(protozero::pbf_tag_type number, WireType type) {
  return protozero::tag_and_type(number, type);
}

constexpr uint32_t kPieceField = Field(1, WireType::length_delimited);

// protozero's get_bool looks at the first byte of a number before it knows that there is one.
bool ReadBool(protozero::pbf_reader& message) { return message.get_uint64() != 0; }

enum PieceType : uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

// Lower ranks first, for the highest score first: the order of floats as integers, reversed.
int64_t RankOfScore(float score) {
  const auto bits = std::bit_cast<int32_t>(-score + 0.0f);  // + 0: one zero only.
  return bits >= 0 ? bits : bits ^ 0x7FFFFFFF;
}

class SentencePieceTokenizer : public Tokenizer {
 public:
  SentencePieceTokenizer(Bytes model, std::string_view where);

  void Encode(std::string_view text, ControlTokens control,
              std::vector<TokenId>& ids) const override;
  std::string TokenBytes(TokenId id) const override;
  std::optional<TokenId> Find(std::string_view piece) const override {
    return vocabulary_.Find(piece);
  }
  bool IsControl(TokenId id) const override {
    return id >= 0 && id < size() && control_[static_cast<size_t>(id)];
  }
  void MarkControl(TokenId id) override { control_.at(static_cast<size_t>(id)) = true; }
  int size() const override { return vocabulary_.size(); }

 private:
  void ReadPieces(protozero::pbf_reader model, size_t bytes);
  std::string_view ReadPiece(protozero::pbf_reader message);
  void ReadTrainer(protozero::pbf_reader message);
  void ReadNormalizer(protozero::pbf_reader message);
  PieceType Type(TokenId id) const { return types_[static_cast<size_t>(id)]; }

  std::string Normalize(std::string_view text) const;
  std::vector<Symbol> InitialSymbols(std::string_view text, ControlTokens control) const;
  TokenId FindInText(std::string_view text) const;
  void EncodeWord(std::string_view word, ControlTokens control, std::vector<TokenId>& ids) const;
  void AppendUnknown(std::string_view text, size_t start, std::vector<TokenId>& ids) const;

  const std::string where_;
  Vocabulary vocabulary_;
  std::vector<float> scores_;
  std::vector<PieceType> types_;
  std::vector<bool> control_;
  PieceMatcher matcher_;  // User-defined and control pieces.
  WordCutter cutter_;
  std::array<TokenId, 256> byte_ids_;
  TokenId unknown_ = -1;
  int model_type_ = 1;  // These are the defaults of the format.
  bool byte_fallback_ = false;
  bool add_dummy_prefix_ = true;
  bool remove_extra_spaces_ = true;
  bool escape_spaces_ = true;
  bool space_as_suffix_ = false;
};

SentencePieceTokenizer::SentencePieceTokenizer(Bytes model, std::string_view where)
    : where_(where) {
  byte_ids_.fill(-1);
  protozero::pbf_reader message(reinterpret_cast<const char*>(model.data()), model.size());
  ReadPieces(message, model.size());
  while (message.next()) {
    switch (message.tag_and_type()) {
      case Field(2, WireType::length_delimited):
        ReadTrainer(message.get_message());
        break;
      case Field(3, WireType::length_delimited):
        ReadNormalizer(message.get_message());
        break;
      default:
        message.skip();
    }
  }
  if (size() == 0) {
    throw Error(ErrorCode::kBadInput, fmt::format("{}: the SentencePiece model is empty.", where_));
  }
  constexpr int kBpe = 2;
  if (model_type_ != kBpe) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: SentencePiece model type {} is not supported; {} (BPE) is.",
                            where_, model_type_, kBpe));
  }
  cutter_ = WordCutter(vocabulary_, kSpaceMark);
  control_.resize(static_cast<size_t>(size()));
  for (TokenId id = 0; id < size(); ++id) {
    control_[static_cast<size_t>(id)] = Type(id) == kControl;
  }
}

void SentencePieceTokenizer::ReadPieces(protozero::pbf_reader model, size_t bytes) {
  size_t count = 0;
  for (protozero::pbf_reader counted = model; counted.next(); counted.skip()) {
    if (counted.tag_and_type() == kPieceField) ++count;
  }
  count = std::min(count, kMaxPieces);
  vocabulary_.Reserve(count, bytes);
  scores_.reserve(count);
  types_.reserve(count);
  constexpr size_t kBlock = 128;
  std::vector<Vocabulary::Entry> block;
  while (model.next()) {
    if (model.tag_and_type() != kPieceField) {
      model.skip();
      continue;
    }
    const auto id = static_cast<TokenId>(types_.size());
    block.push_back({ReadPiece(model.get_message()), id});
    if (block.size() < kBlock) continue;
    vocabulary_.AddAll(block);
    block.clear();
  }
  vocabulary_.AddAll(block);
}

// Notes all about the next piece but its text, which it returns.
std::string_view SentencePieceTokenizer::ReadPiece(protozero::pbf_reader message) {
  const auto id = static_cast<TokenId>(types_.size());
  std::string_view piece;
  float score = 0;
  PieceType type = kNormal;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case Field(1, WireType::length_delimited): {
        const protozero::data_view view = message.get_view();
        piece = {view.data(), view.size()};
        break;
      }
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
  if (piece.empty() || std::isnan(score) || scores_.size() >= kMaxPieces) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: piece {} of the SentencePiece model is not valid.", where_, id));
  }
  scores_.push_back(score);
  types_.push_back(type);
  if (type == kUserDefined || type == kControl) matcher_.Add(piece, id);
  if (type == kUnknown) unknown_ = id;
  if (type == kByte) {
    if (const int byte = ByteOfPiece(piece); byte >= 0) byte_ids_[static_cast<size_t>(byte)] = id;
  }
  return piece;
}

void SentencePieceTokenizer::ReadTrainer(protozero::pbf_reader message) {
  while (message.next()) {
    switch (message.tag_and_type()) {
      case Field(3, WireType::varint):
        model_type_ = message.get_enum();
        break;
      case Field(24, WireType::varint):
        space_as_suffix_ = ReadBool(message);
        break;
      case Field(35, WireType::varint):
        byte_fallback_ = ReadBool(message);
        break;
      default:
        message.skip();
    }
  }
}

void SentencePieceTokenizer::ReadNormalizer(protozero::pbf_reader message) {
  bool has_character_map = false;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case Field(2, WireType::length_delimited):
        has_character_map = message.get_view().size() > 0;
        break;
      case Field(3, WireType::varint):
        add_dummy_prefix_ = ReadBool(message);
        break;
      case Field(4, WireType::varint):
        remove_extra_spaces_ = ReadBool(message);
        break;
      case Field(5, WireType::varint):
        escape_spaces_ = ReadBool(message);
        break;
      default:
        message.skip();
    }
  }
  if (has_character_map) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: the SentencePiece model normalizes text by a character map, which "
                            "is not supported.",
                            where_));
  }
}

std::string SentencePieceTokenizer::Normalize(std::string_view text) const {
  std::string result = ReplaceInvalidUtf8(text);
  if (remove_extra_spaces_) {
    std::string single;
    for (const char c : result) {
      if (c != ' ' || (!single.empty() && single.back() != ' ')) single += c;
    }
    result = std::move(single);
  }
  if (result.empty()) return result;
  const std::string_view space = escape_spaces_ ? kSpaceMark : " ";
  if (escape_spaces_) result = ReplaceAll(result, " ", kSpaceMark);
  if (add_dummy_prefix_ && !space_as_suffix_) result.insert(0, space);
  // A mark that was in the text counts as a space here, though not above; so does the prefix.
  while (remove_extra_spaces_ && result.ends_with(space)) {
    result.resize(result.size() - space.size());
  }
  if (add_dummy_prefix_ && space_as_suffix_) result += space;
  return result;
}

std::vector<Symbol> SentencePieceTokenizer::InitialSymbols(std::string_view text,
                                                           ControlTokens control) const {
  const auto allowed = [&](TokenId id) {
    return control == ControlTokens::kParse || !IsControl(id);
  };
  std::vector<Symbol> symbols;
  for (size_t at = 0; at < text.size(); at += symbols.back().size) {
    const auto begin = static_cast<uint32_t>(at);
    if (const auto match = matcher_.At(text, at, allowed)) {
      symbols.push_back({match->id, begin, static_cast<uint32_t>(match->size), true});
      continue;
    }
    const auto length = static_cast<uint32_t>(DecodeUtf8(text, at).length);
    symbols.push_back({FindInText(text.substr(at, length)), begin, length});
  }
  return symbols;
}

// The piece that text may become by merging, or -1.
TokenId SentencePieceTokenizer::FindInText(std::string_view text) const {
  const auto id = vocabulary_.Find(text);
  if (!id || IsControl(*id)) return -1;
  const PieceType type = Type(*id);
  return type == kNormal || type == kUserDefined || type == kUnused ? *id : -1;
}

void SentencePieceTokenizer::EncodeWord(std::string_view word, ControlTokens control,
                                        std::vector<TokenId>& ids) const {
  std::vector<Symbol> symbols = InitialSymbols(word, control);
  // Unused pieces take part in merges, and are taken apart again in the end: by the pair that was
  // last seen to make them.
  std::unordered_map<TokenId, std::pair<std::string_view, std::string_view>> halves;
  const auto span = [&](const Symbol& symbol) { return word.substr(symbol.begin, symbol.size); };
  MergeSymbols(symbols, [&](const Symbol& left, const Symbol& right) -> std::optional<Merge> {
    const TokenId id = FindInText(word.substr(left.begin, left.size + right.size));
    if (id < 0) return std::nullopt;
    if (Type(id) == kUnused) halves[id] = {span(left), span(right)};
    return Merge{RankOfScore(scores_[static_cast<size_t>(id)]), id};
  });
  const size_t start = ids.size();
  const auto append = [&](auto&& self, TokenId id, std::string_view text) -> void {
    const auto split = id >= 0 && Type(id) == kUnused ? halves.find(id) : halves.end();
    if (split != halves.end()) {
      self(self, FindInText(split->second.first), split->second.first);
      self(self, FindInText(split->second.second), split->second.second);
    } else if (id >= 0) {
      ids.push_back(id);
    } else {
      AppendUnknown(text, start, ids);
    }
  };
  for (const Symbol& symbol : symbols) append(append, symbol.id, span(symbol));
}

// Bytes, or one unknown piece for all unknown characters in a row. The word's ids begin at `start`.
void SentencePieceTokenizer::AppendUnknown(std::string_view text, size_t start,
                                           std::vector<TokenId>& ids) const {
  for (const char c : text) {
    const TokenId byte = byte_fallback_ ? byte_ids_[static_cast<unsigned char>(c)] : -1;
    if (byte < 0) {
      const bool again = ids.size() > start && ids.back() == unknown_;
      if (unknown_ >= 0 && !again) ids.push_back(unknown_);
      return;
    }
    ids.push_back(byte);
  }
}

void SentencePieceTokenizer::Encode(std::string_view text, ControlTokens control,
                                    std::vector<TokenId>& ids) const {
  CheckTextSize(text);
  const std::string normalized = Normalize(text);
  WordCache cache(ids);
  cutter_.ForEach(normalized, [&](std::string_view word) {
    cache.Append(word, [&] { EncodeWord(word, control, ids); });
  });
}

std::string SentencePieceTokenizer::TokenBytes(TokenId id) const {
  CheckTokenId(*this, id);
  const std::string_view piece = vocabulary_.Piece(id);
  if (Type(id) == kByte) {
    if (const int byte = ByteOfPiece(piece); byte >= 0) {
      return std::string(1, static_cast<char>(byte));
    }
  }
  if (Type(id) == kControl || Type(id) == kUnknown) return std::string(piece);
  return ReplaceAll(piece, kSpaceMark, " ");
}

}  // namespace

std::unique_ptr<Tokenizer> LoadSentencePiece(Bytes model, std::string_view where) {
  try {
    return std::make_unique<SentencePieceTokenizer>(model, where);
  } catch (const protozero::exception& e) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{} is not a valid SentencePiece model: {}.", where, e.what()),
                "The file is damaged; fetch it again.");
  }
}

}  // namespace litertlm
