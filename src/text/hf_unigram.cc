// The model of type Unigram: the division of a word whose pieces have the highest sum of scores.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "litertlm/error.h"
#include "text/hf_model.h"
#include "text/unigram.h"

namespace litertlm {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

/// `value` as Hugging Face's library reads the shortest digits that stand for it, which are those
/// in the files that it writes: serde_json divides them by a power of ten, and leaves the last bit
/// to that. Ways to divide a word that differ in rounding only are decided by such bits.
double AsTheLibraryReads(double value) {
  constexpr int kExactPowers = 22;  // Of ten, in a double.
  std::array<char, 32> text;
  char* const end = std::to_chars(text.data(), text.data() + text.size(), std::fabs(value),
                                  std::chars_format::scientific)
                        .ptr;
  uint64_t digits = 0;
  int exponent = 0;
  bool fraction = false;
  for (const char* at = text.data(); at != end; ++at) {
    if (*at == 'e') {
      int written = 0;
      std::from_chars(at[1] == '+' ? at + 2 : at + 1, end, written);
      exponent += written;
      break;
    }
    if (*at == '.') {
      fraction = true;
      continue;
    }
    digits = 10 * digits + static_cast<uint64_t>(*at - '0');
    exponent -= fraction ? 1 : 0;
  }
  if (exponent < -kExactPowers || exponent > kExactPowers) return value;
  const double power = std::pow(10.0, std::abs(exponent));
  const auto size = static_cast<double>(digits);
  return std::copysign(exponent < 0 ? size / power : size * power, value);
}

class HfUnigram : public HfModel {
 public:
  HfUnigram(object model, const HfPipeline& pipeline, const Vocabulary& vocabulary,
            std::string_view where);

  void EncodeWord(std::string_view word, const ControlSet& control,
                  std::vector<TokenId>& ids) const override;

 private:
  void AppendUnknown(std::string_view text, const ControlSet& control,
                     std::vector<TokenId>& ids) const;

  const HfBytePieces bytes_;
  const bool byte_fallback_;
  TokenId unknown_ = -1;
  PieceTrie trie_;
  std::vector<double> scores_;  // By id.
  double lowest_ = std::numeric_limits<double>::infinity();
};

HfUnigram::HfUnigram(object model, const HfPipeline& pipeline, const Vocabulary& vocabulary,
                     std::string_view where)
    : bytes_(vocabulary, /*byte_level=*/false), byte_fallback_(HfFlag(model, "byte_fallback")) {
  if (pipeline.byte_level) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: a Unigram model of ByteLevel words is not supported.", where));
  }
  std::vector<Vocabulary::Entry> entries;
  const simdjson::dom::array pieces = model["vocab"].get_array().value();
  for (const element piece : pieces) {
    const auto id = static_cast<TokenId>(entries.size());
    entries.push_back({piece.at(0).get_string().value(), id});
    scores_.push_back(AsTheLibraryReads(piece.at(1).get_double().value()));
    lowest_ = std::min(lowest_, scores_.back());
    if (entries.back().piece.size() > kLongestUnigramPiece) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}: piece {} has {} bytes; the limit is {}.", where, id,
                              entries.back().piece.size(), kLongestUnigramPiece));
    }
  }
  const auto unknown = model["unk_id"];
  if (unknown.error() == simdjson::SUCCESS && !unknown.is_null()) {
    const int64_t id = unknown.get_int64().value();
    if (id < 0 || id >= static_cast<int64_t>(scores_.size())) {
      throw Error(ErrorCode::kBadInput, fmt::format("{}: unk_id {} is not in the vocabulary of {}.",
                                                    where, id, scores_.size()));
    }
    unknown_ = static_cast<TokenId>(id);
  }
  trie_ = PieceTrie(std::move(entries));
}

void HfUnigram::EncodeWord(std::string_view word, const ControlSet& control,
                           std::vector<TokenId>& ids) const {
  const auto score = [&](TokenId id, size_t) -> std::optional<double> {
    if (control.Has(id)) return std::nullopt;
    return scores_[static_cast<size_t>(id)];
  };
  std::string_view unknown;  // All such characters in a row.
  for (const UnigramPart& part :
       DivideByScores<double>(word, trie_, score, lowest_ - kUnknownPenalty)) {
    if (part.id < 0 || part.id == unknown_) {
      unknown = word.substr(part.begin - unknown.size(), unknown.size() + part.size);
      continue;
    }
    AppendUnknown(std::exchange(unknown, {}), control, ids);
    ids.push_back(part.id);
  }
  AppendUnknown(unknown, control, ids);
}

void HfUnigram::AppendUnknown(std::string_view text, const ControlSet& control,
                              std::vector<TokenId>& ids) const {
  if (text.empty()) return;
  if (byte_fallback_ && bytes_.HasAll(text, control)) {
    for (const char c : text) ids.push_back(bytes_.Find(c, control));
  } else if (unknown_ >= 0) {
    ids.push_back(unknown_);
  }
}

}  // namespace

std::unique_ptr<HfModel> NewHfUnigram(object model, const HfPipeline& pipeline,
                                      const Vocabulary& vocabulary, std::string_view where) {
  return std::make_unique<HfUnigram>(model, pipeline, vocabulary, where);
}

}  // namespace litertlm
