// tokenizer.json with a BPE model, as Hugging Face's tokenizers library applies it.
#include <fmt/format.h>
#include <libdeflate.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <deque>
#include <future>
#include <new>
#include <utility>

#include "base/utf8.h"
#include "litertlm/error.h"
#include "text/byte_piece.h"
#include "text/hf_pipeline.h"
#include "text/merge.h"
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
constexpr size_t kBlock = 128;      // Pieces that the vocabulary takes or finds at once.

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
  bool IsControl(TokenId id) const override {
    return id >= 0 && id < size() && control_[static_cast<size_t>(id)];
  }
  void MarkControl(TokenId id) override { control_.at(static_cast<size_t>(id)) = true; }
  int size() const override { return vocabulary_.size(); }

 private:
  void ReadVocabulary(object model);
  void ReadMerges(object model);
  // The merges of `list` from `first` on, as many as there is room for.
  void FindMerges(simdjson::dom::array list, size_t first,
                  std::span<MergeTable::Merge> merges) const;
  // Those of `pieces`, the left and right of each. The first one has the rank `rank`.
  void FindMerges(std::span<const std::string_view> pieces, size_t rank,
                  std::span<MergeTable::Merge> merges) const;
  static void AppendHalves(element merge, std::vector<std::string_view>& pieces);
  void ReadAddedTokens(object json);
  TokenId CheckedId(int64_t id) const;

  // Cuts `text` at added tokens; calls `token(id)` and `gap(text, first)` in order.
  template <typename OnToken, typename OnGap>
  void Scan(const PieceMatcher& matcher, std::string_view text, ControlTokens control, bool first,
            OnToken token, OnGap gap) const;
  void EncodeWord(std::string_view word, std::vector<TokenId>& ids) const;
  std::vector<Symbol> ByteSymbols(std::string_view word) const;
  std::vector<Symbol> CharacterSymbols(std::string_view word) const;

  const std::string where_;
  const int64_t max_id_;
  HfPipeline pipeline_;
  Vocabulary vocabulary_;
  MergeTable merges_;
  WordCutter cutter_;
  std::vector<bool> control_;                          // By id.
  std::vector<std::pair<TokenId, AddedToken>> added_;  // Sorted by id.
  PieceMatcher added_matcher_;                         // Found in the text as it is.
  PieceMatcher normalized_matcher_;                    // Found in the normalized text.
  std::array<TokenId, 256> byte_ids_;
  TokenId unknown_ = -1;
  bool fuse_unknown_ = false;
  bool byte_fallback_ = false;
  bool ignore_merges_ = false;  // A word that is a token is that token, whatever the merges say.

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
  const object model = json["model"].get_object().value();
  std::string_view type = "BPE";  // Old files do not say.
  if (model["type"].error() == simdjson::SUCCESS) type = model["type"].get_string().value();
  if (type != "BPE") {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: the model type {} is not supported; BPE is.", where, type));
  }
  const auto flag = [&](std::string_view key) {
    const auto value = model[key];
    return value.error() == simdjson::SUCCESS && value.is_bool() && value.get_bool().value();
  };
  for (const std::string_view affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const auto value = model[affix];
    if (value.error() == simdjson::SUCCESS && value.is_string() &&
        !value.get_string().value().empty()) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}: the model's \"{}\" is not supported.", where, affix));
    }
  }
  fuse_unknown_ = flag("fuse_unk");
  byte_fallback_ = flag("byte_fallback");
  ignore_merges_ = flag("ignore_merges");
  ReadVocabulary(model);
  ReadMerges(model);
  ReadAddedTokens(json);
  if (!pipeline_.space_mark.empty()) cutter_ = WordCutter(vocabulary_, pipeline_.space_mark);
  control_.resize(static_cast<size_t>(size()));
  for (const auto& [id, token] : added_) control_[static_cast<size_t>(id)] = token.special;

  const auto unknown = model["unk_token"];
  if (unknown.error() == simdjson::SUCCESS && unknown.is_string()) {
    unknown_ = vocabulary_.Find(unknown.get_string().value()).value_or(-1);
  }
  for (int byte = 0; byte < 256; ++byte) {
    const std::string piece = pipeline_.byte_level
                                  ? std::string(ByteLevelChar(static_cast<unsigned char>(byte)))
                                  : BytePiece(static_cast<unsigned char>(byte));
    byte_ids_[static_cast<size_t>(byte)] = vocabulary_.Find(piece).value_or(-1);
  }
}

TokenId HfTokenizer::CheckedId(int64_t id) const {
  if (id < 0 || id > max_id_) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: {} is not a token id; in a file of this size they end at {}.",
                            where_, id, max_id_));
  }
  return static_cast<TokenId>(id);
}

void HfTokenizer::ReadVocabulary(object model) {
  const object vocab = model["vocab"].get_object().value();
  vocabulary_.Reserve(vocab.size(), vocab.size() * 8);
  std::vector<Vocabulary::Entry> block;
  const auto add = [&] {
    if (const auto* refused = vocabulary_.AddAll(block)) {
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{}: two pieces have the id {}.", where_, refused->id));
    }
    block.clear();
  };
  for (const auto& [piece, id] : vocab) {
    block.push_back({piece, CheckedId(id.get_int64().value())});
    if (block.size() == kBlock) add();
  }
  add();
}

void HfTokenizer::ReadMerges(object model) {
  const simdjson::dom::array list = model["merges"].get_array().value();
  // Arrays longer than 2^24 - 1 report that length; the table must never fill up.
  if (list.size() >= (1 << 24) - 1) {
    throw Error(ErrorCode::kUnsupported, fmt::format("{}: too many merges.", where_));
  }
  std::vector<MergeTable::Merge> merges(list.size());
  const size_t half = merges.size() / 2;
  // On a second thread, or at `get` if there is none.
  std::future<void> rest =
      std::async([&] { FindMerges(list, half, std::span(merges).subspan(half)); });
  FindMerges(list, 0, std::span(merges).first(half));
  rest.get();
  merges_ = MergeTable(std::move(merges));
}

void HfTokenizer::FindMerges(simdjson::dom::array list, size_t first,
                             std::span<MergeTable::Merge> merges) const {
  auto element = list.begin();
  for (size_t i = 0; i < first; ++i) ++element;
  std::vector<std::string_view> pieces;  // Left and right of each merge.
  for (size_t begin = 0; begin < merges.size(); begin += kBlock / 2) {
    const auto block = merges.subspan(begin, std::min(kBlock / 2, merges.size() - begin));
    pieces.clear();
    for (size_t i = 0; i < block.size(); ++i, ++element) AppendHalves(*element, pieces);
    FindMerges(pieces, first + begin, block);
  }
}

void HfTokenizer::AppendHalves(element merge, std::vector<std::string_view>& pieces) {
  if (merge.is_array()) {
    pieces.push_back(merge.at(0).get_string().value());
    pieces.push_back(merge.at(1).get_string().value());
  } else {
    const std::string_view text = merge.get_string().value();
    const size_t space = text.find(' ');
    pieces.push_back(text.substr(0, space));
    pieces.push_back(space == text.npos ? std::string_view() : text.substr(space + 1));
  }
}

void HfTokenizer::FindMerges(std::span<const std::string_view> pieces, size_t rank,
                             std::span<MergeTable::Merge> merges) const {
  std::array<TokenId, kBlock> ids;
  vocabulary_.FindAll(pieces, std::span(ids).first(pieces.size()));
  std::string joined;
  TokenId expected = 0;
  for (size_t i = 0; i < merges.size(); ++i) {
    const std::string_view left = pieces[2 * i];
    const std::string_view right = pieces[2 * i + 1];
    joined = left;
    joined += right;
    // Most merges make the same token as the one before, or the next.
    if (vocabulary_.Piece(expected) != joined) ++expected;
    if (vocabulary_.Piece(expected) != joined) expected = vocabulary_.Find(joined).value_or(-1);
    merges[i] = {ids[2 * i], ids[2 * i + 1], expected};
    if (merges[i].left < 0 || merges[i].right < 0 || expected < 0) {
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{}: merge {} (\"{}\" and \"{}\") names a piece that is not in the "
                              "vocabulary.",
                              where_, rank + i, left, right));
    }
  }
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
               cache.Append(word, [&] { EncodeWord(word, ids); });
             });
           }
         });
  });
}

std::vector<Symbol> HfTokenizer::ByteSymbols(std::string_view word) const {
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  for (uint32_t i = 0; i < word.size(); ++i) {
    const TokenId id = byte_ids_[static_cast<unsigned char>(word[i])];
    if (id >= 0 && !IsControl(id)) {
      symbols.push_back({id, i, 1});
    } else if (unknown_ >= 0) {
      symbols.push_back({unknown_, i, 1});
    }
  }
  return symbols;
}

std::vector<Symbol> HfTokenizer::CharacterSymbols(std::string_view word) const {
  std::vector<Symbol> symbols;
  for (uint32_t i = 0; i < word.size();) {
    const auto size = static_cast<uint32_t>(DecodeUtf8(word, i).length);
    const std::string_view character = word.substr(i, size);
    const auto byte_known = [&](char c) {
      const TokenId id = byte_ids_[static_cast<unsigned char>(c)];
      return id >= 0 && !IsControl(id);
    };
    if (const auto id = vocabulary_.Find(character); id && !IsControl(*id)) {
      symbols.push_back({*id, i, size});
    } else if (byte_fallback_ && std::all_of(character.begin(), character.end(), byte_known)) {
      for (uint32_t b = 0; b < size; ++b) {
        symbols.push_back({byte_ids_[static_cast<unsigned char>(character[b])], i + b, 1});
      }
    } else if (unknown_ >= 0) {
      if (fuse_unknown_ && !symbols.empty() && symbols.back().id == unknown_) {
        symbols.back().size += size;
      } else {
        symbols.push_back({unknown_, i, size});
      }
    }
    i += size;
  }
  return symbols;
}

void HfTokenizer::EncodeWord(std::string_view word, std::vector<TokenId>& ids) const {
  if (ignore_merges_) {
    std::string piece;
    for (const char c : word) {
      if (pipeline_.byte_level) {
        piece += ByteLevelChar(static_cast<unsigned char>(c));
      } else {
        piece += c;
      }
    }
    if (const auto id = vocabulary_.Find(piece); id && !IsControl(*id)) {
      ids.push_back(*id);
      return;
    }
  }
  std::vector<Symbol> symbols = pipeline_.byte_level ? ByteSymbols(word) : CharacterSymbols(word);
  MergeSymbols(symbols, [&](const Symbol& left, const Symbol& right) -> std::optional<Merge> {
    const int32_t rank = merges_.Rank(left.id, right.id);
    if (rank < 0 || IsControl(merges_.Merged(rank))) return std::nullopt;
    return Merge{rank, merges_.Merged(rank)};
  });
  for (const Symbol& symbol : symbols) ids.push_back(symbol.id);
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

std::unique_ptr<Tokenizer> Parse(const simdjson::padded_string& json, std::string_view where) {
  simdjson::dom::parser parser;
  try {
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
