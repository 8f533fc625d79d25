// The model of type BPE.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <span>
#include <utility>

#include "base/pages.h"
#include "base/utf8.h"
#include "litertlm/error.h"
#include "text/hf_model.h"
#include "text/merge.h"

namespace litertlm {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

class HfBpe : public HfModel {
 public:
  HfBpe(object model, const HfPipeline& pipeline, const Vocabulary& vocabulary,
        std::string_view where);

  void EncodeWord(std::string_view word, const ControlSet& control,
                  std::vector<TokenId>& ids) const override;
  WordCutter Cutter() const override {
    return space_mark_.empty() ? WordCutter() : WordCutter(vocabulary_, space_mark_);
  }

 private:
  void ReadMerges(object model);
  // The merges of `list` from `first` on, as many as there is room for.
  void FindMerges(simdjson::dom::array list, size_t first,
                  std::span<MergeTable::Merge> merges) const;
  // Those of `pieces`, the left and right of each. The first one has the rank `rank`.
  void FindMerges(std::span<const std::string_view> pieces, size_t rank,
                  std::span<MergeTable::Merge> merges) const;
  static void AppendHalves(element merge, std::vector<std::string_view>& pieces);
  std::vector<Symbol> ByteSymbols(std::string_view word, const ControlSet& control) const;
  std::vector<Symbol> CharacterSymbols(std::string_view word, const ControlSet& control) const;

  const std::string where_;
  const Vocabulary& vocabulary_;
  const HfBytePieces bytes_;
  const bool byte_level_;
  const std::string space_mark_;
  MergeTable merges_;
  TokenId unknown_ = -1;
  bool fuse_unknown_ = false;
  bool byte_fallback_ = false;
  bool ignore_merges_ = false;  // A word that is a token is that token, whatever the merges say.
};

HfBpe::HfBpe(object model, const HfPipeline& pipeline, const Vocabulary& vocabulary,
             std::string_view where)
    : where_(where),
      vocabulary_(vocabulary),
      bytes_(vocabulary, pipeline.byte_level),
      byte_level_(pipeline.byte_level),
      space_mark_(pipeline.space_mark),
      fuse_unknown_(HfFlag(model, "fuse_unk")),
      byte_fallback_(HfFlag(model, "byte_fallback")),
      ignore_merges_(HfFlag(model, "ignore_merges")) {
  for (const std::string_view affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const auto value = model[affix];
    if (value.error() == simdjson::SUCCESS && value.is_string() &&
        !value.get_string().value().empty()) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}: the model's \"{}\" is not supported.", where, affix));
    }
  }
  const auto unknown = model["unk_token"];
  if (unknown.error() == simdjson::SUCCESS && unknown.is_string()) {
    unknown_ = vocabulary_.Find(unknown.get_string().value()).value_or(-1);
  }
  ReadMerges(model);
}

void HfBpe::ReadMerges(object model) {
  const simdjson::dom::array list = model["merges"].get_array().value();
  // Arrays longer than 2^24 - 1 report that length; the table must never fill up.
  if (list.size() >= (1 << 24) - 1) {
    throw Error(ErrorCode::kUnsupported, fmt::format("{}: too many merges.", where_));
  }
  std::vector<MergeTable::Merge> merges;
  ReserveInHugePages(merges, list.size());
  merges.resize(list.size());
  const size_t half = merges.size() / 2;
  // On a second thread, or at `get` if there is none.
  std::future<void> rest =
      std::async([&] { FindMerges(list, half, std::span(merges).subspan(half)); });
  FindMerges(list, 0, std::span(merges).first(half));
  rest.get();
  merges_ = MergeTable(std::move(merges));
}

void HfBpe::FindMerges(simdjson::dom::array list, size_t first,
                       std::span<MergeTable::Merge> merges) const {
  auto element = list.begin();
  for (size_t i = 0; i < first; ++i) ++element;
  std::vector<std::string_view> pieces;  // Left and right of each merge.
  for (size_t begin = 0; begin < merges.size(); begin += Vocabulary::kBlock / 2) {
    const auto block =
        merges.subspan(begin, std::min(Vocabulary::kBlock / 2, merges.size() - begin));
    pieces.clear();
    for (size_t i = 0; i < block.size(); ++i, ++element) AppendHalves(*element, pieces);
    FindMerges(pieces, first + begin, block);
  }
}

void HfBpe::AppendHalves(element merge, std::vector<std::string_view>& pieces) {
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

void HfBpe::FindMerges(std::span<const std::string_view> pieces, size_t rank,
                       std::span<MergeTable::Merge> merges) const {
  std::array<TokenId, Vocabulary::kBlock> ids;
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

std::vector<Symbol> HfBpe::ByteSymbols(std::string_view word, const ControlSet& control) const {
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  for (uint32_t i = 0; i < word.size(); ++i) {
    if (const TokenId id = bytes_.Find(word[i], control); id >= 0) {
      symbols.push_back({id, i, 1});
    } else if (unknown_ >= 0) {
      symbols.push_back({unknown_, i, 1});
    }
  }
  return symbols;
}

std::vector<Symbol> HfBpe::CharacterSymbols(std::string_view word,
                                            const ControlSet& control) const {
  std::vector<Symbol> symbols;
  for (uint32_t i = 0; i < word.size();) {
    const auto size = static_cast<uint32_t>(DecodeUtf8(word, i).length);
    const std::string_view character = word.substr(i, size);
    if (const auto id = vocabulary_.Find(character); id && !control.Has(*id)) {
      symbols.push_back({*id, i, size});
    } else if (byte_fallback_ && bytes_.HasAll(character, control)) {
      for (uint32_t b = 0; b < size; ++b) {
        symbols.push_back({bytes_.Find(character[b], control), i + b, 1});
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

void HfBpe::EncodeWord(std::string_view word, const ControlSet& control,
                       std::vector<TokenId>& ids) const {
  if (ignore_merges_) {
    std::string piece;
    for (const char c : word) {
      if (byte_level_) {
        piece += ByteLevelChar(static_cast<unsigned char>(c));
      } else {
        piece += c;
      }
    }
    if (const auto id = vocabulary_.Find(piece); id && !control.Has(*id)) {
      ids.push_back(*id);
      return;
    }
  }
  std::vector<Symbol> symbols =
      byte_level_ ? ByteSymbols(word, control) : CharacterSymbols(word, control);
  MergeSymbols(symbols, [&](const Symbol& left, const Symbol& right) -> std::optional<Merge> {
    const int32_t rank = merges_.Rank(left.id, right.id);
    if (rank < 0 || control.Has(merges_.Merged(rank))) return std::nullopt;
    return Merge{rank, merges_.Merged(rank)};
  });
  for (const Symbol& symbol : symbols) ids.push_back(symbol.id);
}

}  // namespace

std::unique_ptr<HfModel> NewHfBpe(object model, const HfPipeline& pipeline,
                                  const Vocabulary& vocabulary, std::string_view where) {
  return std::make_unique<HfBpe>(model, pipeline, vocabulary, where);
}

}  // namespace litertlm
