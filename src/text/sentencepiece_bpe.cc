// SentencePiece's BPE: neighbouring pieces are merged, the pair with the highest score first.
#include <bit>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"
#include "text/merge.h"
#include "text/sentencepiece_tokenizer.h"
#include "text/word_cache.h"
#include "text/word_cutter.h"

namespace litertlm {
namespace {

// Lower ranks first, for the highest score first: the order of floats as integers, reversed.
int64_t RankOfScore(float score) {
  const auto bits = std::bit_cast<int32_t>(-score + 0.0f);  // + 0: one zero only.
  return bits >= 0 ? bits : bits ^ 0x7FFFFFFF;
}

class BpeTokenizer : public SentencePieceTokenizer {
 public:
  explicit BpeTokenizer(SentencePieceModel model_read)
      : SentencePieceTokenizer(std::move(model_read)), cutter_(model().vocabulary, kSpaceMark) {}

 private:
  void EncodeNormalized(std::string_view text, ControlTokens control,
                        std::vector<TokenId>& ids) const override;
  std::vector<Symbol> InitialSymbols(std::string_view text, ControlTokens control) const;
  TokenId FindInText(std::string_view text) const;
  void EncodeWord(std::string_view word, ControlTokens control, std::vector<TokenId>& ids) const;

  WordCutter cutter_;
};

void BpeTokenizer::EncodeNormalized(std::string_view text, ControlTokens control,
                                    std::vector<TokenId>& ids) const {
  WordCache cache(ids);
  cutter_.ForEach(text, [&](std::string_view word) {
    cache.Append(word, [&] { EncodeWord(word, control, ids); });
  });
}

std::vector<Symbol> BpeTokenizer::InitialSymbols(std::string_view text,
                                                 ControlTokens control) const {
  const auto allowed = [&](TokenId id) {
    return control == ControlTokens::kParse || !IsControl(id);
  };
  std::vector<Symbol> symbols;
  for (size_t at = 0; at < text.size(); at += symbols.back().size) {
    const auto begin = static_cast<uint32_t>(at);
    if (const auto match = matcher().At(text, at, allowed)) {
      symbols.push_back({match->id, begin, static_cast<uint32_t>(match->size), true});
      continue;
    }
    const auto length = static_cast<uint32_t>(DecodeUtf8(text, at).length);
    symbols.push_back({FindInText(text.substr(at, length)), begin, length});
  }
  return symbols;
}

// The piece that text may become by merging, or -1.
TokenId BpeTokenizer::FindInText(std::string_view text) const {
  const auto id = Find(text);
  if (!id || IsControl(*id)) return -1;
  const PieceType type = model().Type(*id);
  const bool may_be_text =
      type == PieceType::kNormal || type == PieceType::kUserDefined || type == PieceType::kUnused;
  return may_be_text ? *id : -1;
}

void BpeTokenizer::EncodeWord(std::string_view word, ControlTokens control,
                              std::vector<TokenId>& ids) const {
  std::vector<Symbol> symbols = InitialSymbols(word, control);
  // Unused pieces take part in merges, and are taken apart again in the end: by the pair that was
  // last seen to make them.
  std::unordered_map<TokenId, std::pair<std::string_view, std::string_view>> halves;
  const auto is_unused = [&](TokenId id) { return model().Type(id) == PieceType::kUnused; };
  const auto span = [&](const Symbol& symbol) { return word.substr(symbol.begin, symbol.size); };
  MergeSymbols(symbols, [&](const Symbol& left, const Symbol& right) -> std::optional<Merge> {
    const TokenId id = FindInText(word.substr(left.begin, left.size + right.size));
    if (id < 0) return std::nullopt;
    if (is_unused(id)) halves[id] = {span(left), span(right)};
    return Merge{RankOfScore(model().Score(id)), id};
  });
  const size_t start = ids.size();
  const auto append = [&](auto&& self, TokenId id, std::string_view text) -> void {
    const auto split = id >= 0 && is_unused(id) ? halves.find(id) : halves.end();
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

}  // namespace

std::unique_ptr<Tokenizer> NewBpeTokenizer(SentencePieceModel model) {
  return std::make_unique<BpeTokenizer>(std::move(model));
}

}  // namespace litertlm
