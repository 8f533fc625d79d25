// tokenizer.json, as Hugging Face's tokenizers library applies it.
#include <fmt/format.h>
#include <libdeflate.h>
#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <deque>
#include <new>
#include <utility>

#include "base/pages.h"
#include "base/utf8.h"
#include "litertlm/error.h"
#include "text/byte_piece.h"
#include "text/hf_model.h"
#include "text/hf_pipeline.h"
#include "text/piece_matcher.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"
#include "text/word_cache.h"
#include "text/word_cutter.h"

namespace litertlm {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr size_t kMaxId = 1 << 24;  // The largest vocabularies have 2^18.

struct AddedToken {
  bool special = false;
  bool strip_left = false, strip_right = false;  // Takes the white space beside it along.
  bool single_word = false;                      // Only where no letter or digit touches it.
};

bool IsSpace(std::string_view text, size_t at) {
  return std::string_view(" \t\n\r\v\f").find(text[at]) != std::string_view::npos;
}
bool IsWordByte(std::string_view text, size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  return std::isalnum(byte) != 0 || byte == '_' || byte >= 0x80;
}

class HfTokenizer : public Tokenizer {
 public:
  HfTokenizer(object json, size_t file_size, std::string_view where);

  void Encode(std::string_view text, ControlTokens control,
              std::vector<TokenId>& ids) const override;
  std::string TokenBytes(TokenId id) const override;
  std::optional<TokenId> Find(std::string_view piece) const override {
    return vocabulary_.Find(piece);
  }
  bool IsControl(TokenId id) const override { return control_.Has(id); }
  void MarkControl(TokenId id) override { control_.Add(id); }
  int size() const override { return vocabulary_.size(); }

 private:
  std::unique_ptr<HfModel> ReadModel(object json);
  void ReadVocabulary(object pieces);
  void ReadVocabulary(simdjson::dom::array pieces);
  void AddPieces(std::vector<Vocabulary::Entry>& block);
  void ReadAddedTokens(object json);
  TokenId CheckedId(int64_t id) const;

  // Cuts `text` at added tokens; calls `token(id)` and `gap(text, first)` in order.
  template <typename OnToken, typename OnGap>
  void Scan(const PieceMatcher& matcher, std::string_view text, ControlTokens control, bool first,
            OnToken token, OnGap gap) const;

  const std::string where_;
  const int64_t max_id_;
  HfPipeline pipeline_;
  Vocabulary vocabulary_;
  std::unique_ptr<HfModel> model_;
  WordCutter cutter_;
  ControlSet control_;
  std::vector<std::pair<TokenId, AddedToken>> added_;  // Sorted by id.
  PieceMatcher added_matcher_;                         // Found in the text as it is.
  PieceMatcher normalized_matcher_;                    // Found in the normalized text.
  bool byte_fallback_ = false;

  const AddedToken* Added(TokenId id) const {
    const auto it = std::lower_bound(added_.begin(), added_.end(), id,
                                     [](const auto& a, TokenId b) { return a.first < b; });
    return it != added_.end() && it->first == id ? &it->second : nullptr;
  }
};

// A piece takes some bytes of the file. Ids above that would only make memory of little.
HfTokenizer::HfTokenizer(object json, size_t file_size, std::string_view where)
    : where_(where),
      max_id_(static_cast<int64_t>(std::min(file_size, kMaxId))),
      pipeline_(ReadHfPipeline(json, where)) {
  model_ = ReadModel(json);
  cutter_ = model_->Cutter();
}

std::unique_ptr<HfModel> HfTokenizer::ReadModel(object json) {
  const object model = json["model"].get_object().value();
  std::string_view type = "BPE";  // Old files do not say.
  if (model["type"].error() == simdjson::SUCCESS) type = model["type"].get_string().value();
  const bool unigram = type == "Unigram";
  if (type != "BPE" && !unigram) {
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format("{}: the model type {} is not supported; BPE and Unigram are.", where_, type));
  }
  byte_fallback_ = HfFlag(model, "byte_fallback");
  if (unigram) {
    ReadVocabulary(model["vocab"].get_array().value());
  } else {
    ReadVocabulary(model["vocab"].get_object().value());
  }
  ReadAddedTokens(json);
  return (unigram ? NewHfUnigram : NewHfBpe)(model, pipeline_, vocabulary_, where_);
}

TokenId HfTokenizer::CheckedId(int64_t id) const {
  if (id < 0 || id > max_id_) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: {} is not a token id; in a file of this size they end at {}.",
                            where_, id, max_id_));
  }
  return static_cast<TokenId>(id);
}

void HfTokenizer::ReadVocabulary(object pieces) {
  vocabulary_.Reserve(pieces.size(), pieces.size() * 8);
  std::vector<Vocabulary::Entry> block;
  for (const auto& [piece, id] : pieces) {
    block.push_back({piece, CheckedId(id.get_int64().value())});
    if (block.size() == Vocabulary::kBlock) AddPieces(block);
  }
  AddPieces(block);
}

// Of pieces and their scores, in the order of their ids.
void HfTokenizer::ReadVocabulary(simdjson::dom::array pieces) {
  vocabulary_.Reserve(pieces.size(), pieces.size() * 8);
  std::vector<Vocabulary::Entry> block;
  int64_t id = 0;
  for (const element entry : pieces) {
    block.push_back({entry.at(0).get_string().value(), CheckedId(id++)});
    if (block.size() == Vocabulary::kBlock) AddPieces(block);
  }
  AddPieces(block);
}

void HfTokenizer::AddPieces(std::vector<Vocabulary::Entry>& block) {
  if (const auto* refused = vocabulary_.AddAll(block)) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: two pieces have the id {}.", where_, refused->id));
  }
  block.clear();
}

void HfTokenizer::ReadAddedTokens(object json) {
  const auto found = json["added_tokens"];
  if (found.error() != simdjson::SUCCESS || found.is_null()) return;
  const simdjson::dom::array list = found.get_array().value();
  for (const element entry : list) {
    const auto flag = [&](std::string_view key) {
      const auto value = entry[key];
      return value.error() == simdjson::SUCCESS && value.get_bool().value();
    };
    const std::string_view content = entry["content"].get_string().value();
    const TokenId id = CheckedId(entry["id"].get_int64().value());
    if (!vocabulary_.Add(content, id)) {
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{}: the added token \"{}\" has the id {} of another piece.", where_,
                              content, id));
    }
    added_.push_back({id, {flag("special"), flag("lstrip"), flag("rstrip"), flag("single_word")}});
    (flag("normalized") ? normalized_matcher_ : added_matcher_).Add(content, id);
  }
  std::sort(added_.begin(), added_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [id, token] : added_) {
    if (token.special) control_.Add(id);
  }
}

template <typename OnToken, typename OnGap>
void HfTokenizer::Scan(const PieceMatcher& matcher, std::string_view text, ControlTokens control,
                       bool first, OnToken token, OnGap gap) const {
  const auto allowed = [&](TokenId id) {
    return control == ControlTokens::kParse || !IsControl(id);
  };
  size_t start = 0;
  for (size_t at = 0; !matcher.empty() && at < text.size();) {
    const auto match = matcher.At(text, at, allowed);
    if (!match) {
      ++at;
      continue;
    }
    const AddedToken& added = *Added(match->id);
    size_t end = at + match->size;
    if (added.single_word &&
        ((at > 0 && IsWordByte(text, at - 1)) || (end < text.size() && IsWordByte(text, end)))) {
      ++at;
      continue;
    }
    size_t begin = at;
    while (added.strip_left && begin > start && IsSpace(text, begin - 1)) --begin;
    while (added.strip_right && end < text.size() && IsSpace(text, end)) ++end;
    if (begin > start) gap(text.substr(start, begin - start), first && start == 0);
    token(match->id);
    start = at = end;
  }
  if (start < text.size()) gap(text.substr(start), first && start == 0);
}

void HfTokenizer::Encode(std::string_view text, ControlTokens control,
                         std::vector<TokenId>& ids) const {
  CheckTextSize(text);
  std::string valid;
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    valid = ReplaceInvalidUtf8(text);
    text = valid;
  }
  std::deque<std::string> normalized;  // Holds the words that the cache knows.
  WordCache cache(ids);
  const auto token = [&](TokenId id) { ids.push_back(id); };
  Scan(added_matcher_, text, control, true, token, [&](std::string_view gap, bool first) {
    normalized.push_back(pipeline_.Normalize(gap, first));
    Scan(normalized_matcher_, normalized.back(), control, first, token,
         [&](std::string_view part, bool) {
           for (const std::string_view piece : pipeline_.Split(part)) {
             cutter_.ForEach(piece, [&](std::string_view word) {
               cache.Append(word, [&] { model_->EncodeWord(word, control_, ids); });
             });
           }
         });
  });
}

std::string HfTokenizer::TokenBytes(TokenId id) const {
  CheckTokenId(*this, id);
  const std::string_view piece = vocabulary_.Piece(id);
  if (IsControl(id)) return std::string(piece);
  if (!pipeline_.byte_level) {
    if (byte_fallback_) {
      if (const int byte = ByteOfPiece(piece); byte >= 0) {
        return std::string(1, static_cast<char>(byte));
      }
    }
    if (pipeline_.space_mark.empty()) return std::string(piece);
    return ReplaceAll(piece, pipeline_.space_mark, " ");
  }
  return BytesOfStandIns(piece);
}

// The parser's memory is for the densest JSON there can be. Of each part tokenizers fill about half
// the size of their JSON, which is made ahead.
void Reserve(simdjson::dom::parser& parser, size_t bytes) {
  for (const auto error : {parser.allocate(bytes), parser.doc.allocate(bytes)}) {
    if (error != simdjson::SUCCESS) throw simdjson::simdjson_error(error);
  }
  const auto prepare = [bytes](const void* memory, size_t element) {
    PreferHugePages(memory, bytes * element);
    MakePages(memory, bytes / 2);
  };
  prepare(parser.implementation->structural_indexes.get(), sizeof(uint32_t));
  prepare(parser.doc.tape.get(), sizeof(uint64_t));
  prepare(parser.doc.string_buf.get(), 1);
}

std::unique_ptr<Tokenizer> Parse(const simdjson::padded_string& json, std::string_view where) {
  simdjson::dom::parser parser;
  try {
    Reserve(parser, json.size());
    const object root = parser.parse(json).get_object().value();
    return std::make_unique<HfTokenizer>(root, json.size(), where);
  } catch (const simdjson::simdjson_error& e) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{} is not a valid tokenizer.json: {}.", where, e.what()));
  }
}

}  // namespace

std::unique_ptr<Tokenizer> LoadHfTokenizer(Bytes json, std::string_view where) {
  return Parse(simdjson::padded_string(AsText(json)), where);
}

std::unique_ptr<Tokenizer> LoadHfTokenizerZlib(Bytes section, std::string_view where) {
  constexpr uint64_t kLimit = uint64_t{1} << 30;  // As in LiteRT-LM.
  constexpr uint64_t kMostRatio = 1032;           // Deflate cannot shrink further.
  uint64_t size = 0;
  if (section.size() >= sizeof size) std::memcpy(&size, section.data(), sizeof size);
  if (section.size() < sizeof size || size > kLimit || size / kMostRatio > section.size()) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: the tokenizer section of {} bytes cannot hold a tokenizer.json of "
                            "{} bytes.",
                            where, section.size(), size),
                "The file is damaged; fetch or convert it again.");
  }
  simdjson::padded_string json(size);
  MakeHugePages(json.data(), size);
  const Bytes packed = section.subspan(sizeof size);
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> unpacker(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (unpacker == nullptr) throw std::bad_alloc();
  // Null: nothing but exactly `size` bytes will do.
  if (libdeflate_zlib_decompress(unpacker.get(), packed.data(), packed.size(), json.data(), size,
                                 nullptr) != LIBDEFLATE_SUCCESS) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: the tokenizer section does not unpack to the {} bytes it "
                            "announces.",
                            where, size),
                "The file is damaged; fetch or convert it again.");
  }
  return Parse(json, where);
}

}  // namespace litertlm
