#include "convert/synthetic_tokenizer.h"

#include <fmt/format.h>

#include <map>
#include <protozero/pbf_writer.hpp>
#include <random>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"

namespace litertlm {
namespace {

constexpr std::string_view kLetters = "etaoinshrdlucmfwypvbgkjqxz";

struct Merge {
  std::string left;
  std::string right;
};

// `count` merges, each of pieces that are there already: letters, `space` in front of a word, and
// what earlier merges made. The earlier a piece, the more often it is taken, as in real ones: that
// keeps pieces short.
std::vector<Merge> MakeMerges(size_t count, const std::string& space) {
  std::vector<std::string> beginnings = {space};  // What a merge may have on its left side only.
  std::vector<std::string> parts;
  for (const char letter : kLetters) parts.emplace_back(1, letter);
  std::mt19937 random(1);
  const auto pick = [&random](const std::vector<std::string>& pieces) {
    return pieces[random() % (random() % (random() % pieces.size() + 1) + 1)];
  };
  std::unordered_set<std::string> known;
  std::vector<Merge> merges;
  while (merges.size() < count) {
    std::vector<std::string>& lefts = random() % 2 == 0 ? beginnings : parts;
    const std::string left = pick(lefts);
    const std::string right = pick(parts);
    if (!known.insert(left + right).second) continue;
    lefts.push_back(left + right);
    merges.push_back({left, right});
  }
  return merges;
}

// The printable characters that stand for bytes in byte-level BPE (GPT-2's bytes_to_unicode), in
// the order of their ids.
std::vector<std::string> ByteCharacters() {
  const auto printable = [](uint32_t byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
  };
  std::vector<std::string> characters;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    if (printable(byte)) AppendUtf8(byte, characters.emplace_back());
  }
  for (uint32_t other = 256; characters.size() < 256; ++other) {
    AppendUtf8(other, characters.emplace_back());
  }
  return characters;
}

Json AddedTokens(int first_id) {
  constexpr std::string_view kNames[] = {"<|endoftext|>",
                                         "<|im_start|>",
                                         "<|im_end|>",
                                         "<|object_ref_start|>",
                                         "<|object_ref_end|>",
                                         "<|box_start|>",
                                         "<|box_end|>",
                                         "<|quad_start|>",
                                         "<|quad_end|>",
                                         "<|vision_start|>",
                                         "<|vision_end|>",
                                         "<|vision_pad|>",
                                         "<|image_pad|>",
                                         "<|video_pad|>",
                                         "<tool_call>",
                                         "</tool_call>",
                                         "<|fim_prefix|>",
                                         "<|fim_middle|>",
                                         "<|fim_suffix|>",
                                         "<|fim_pad|>",
                                         "<|repo_name|>",
                                         "<|file_sep|>",
                                         "<tool_response>",
                                         "</tool_response>",
                                         "<think>",
                                         "</think>"};
  constexpr int kSpecial = 14;  // The first ones are left out of decoded text.
  Json tokens = Json::array();
  for (const std::string_view name : kNames) {
    const auto index = static_cast<int>(tokens.size());
    tokens.push_back({{"id", first_id + index},
                      {"content", name},
                      {"single_word", false},
                      {"lstrip", false},
                      {"rstrip", false},
                      {"normalized", false},
                      {"special", index < kSpecial}});
  }
  return tokens;
}

Json ByteLevel() {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", false},
          {"use_regex", false}};
}

// Writes the pieces of a SentencePiece model (sentencepiece_model.proto).
class PieceWriter {
 public:
  enum Type { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kByte = 6 };

  explicit PieceWriter(std::string& model) : model_(model) {}

  void Add(const std::string& piece, Type type, float score = 0) {
    std::string message;
    protozero::pbf_writer writer(message);
    writer.add_string(1, piece);
    writer.add_float(2, score);
    if (type != kNormal) writer.add_enum(3, type);
    model_.add_message(1, message);
    ++count_;
  }
  /// Pieces come in the order of merging: the earlier, the higher the score.
  void AddNormal(const std::string& piece) { Add(piece, kNormal, -static_cast<float>(normal_++)); }

  int count() const { return count_; }
  protozero::pbf_writer& model() { return model_; }

 private:
  protozero::pbf_writer model_;
  int count_ = 0;
  int normal_ = 0;
};

}  // namespace

std::string Qwen3TokenizerJson() {
  constexpr size_t kPieces = 151643;
  constexpr char kPattern[] =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
      "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  std::vector<std::string> pieces = ByteCharacters();
  Json merges = Json::array();
  for (const Merge& merge : MakeMerges(kPieces - pieces.size(), "Ġ")) {
    pieces.push_back(merge.left + merge.right);
    merges.push_back({merge.left, merge.right});
  }
  // Appended directly, as an ordered object looks for each key that is set.
  Json vocabulary = Json::object();
  auto& entries = vocabulary.get_ref<Json::object_t&>();
  for (const std::string& piece : pieces) {
    static_cast<std::vector<Json::object_t::value_type>&>(entries).emplace_back(piece,
                                                                                entries.size());
  }
  const Json tokenizer = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", AddedTokens(kPieces)},
      {"normalizer", {{"type", "NFC"}}},
      {"pre_tokenizer",
       {{"type", "Sequence"},
        {"pretokenizers", Json::array({{{"type", "Split"},
                                        {"pattern", {{"Regex", kPattern}}},
                                        {"behavior", "Isolated"},
                                        {"invert", false}},
                                       ByteLevel()})}}},
      {"post_processor", ByteLevel()},
      {"decoder", ByteLevel()},
      {"model",
       {{"type", "BPE"}, {"vocab", std::move(vocabulary)}, {"merges", std::move(merges)}}}};
  return DumpJson(tokenizer, 2);
}

std::string Gemma3TokenizerModel() {
  constexpr int kPieces = 262144;
  constexpr int kFirstByte = 238;
  constexpr uint32_t kFirstIdeograph = 0x4E00;
  constexpr uint32_t kIdeographs = 20000;
  constexpr char kSpace[] = "\u2581";
  const std::map<int, std::pair<const char*, PieceWriter::Type>> named = {
      {0, {"<pad>", PieceWriter::kControl}},
      {1, {"<eos>", PieceWriter::kControl}},
      {2, {"<bos>", PieceWriter::kControl}},
      {3, {"<unk>", PieceWriter::kUnknown}},
      {4, {"<mask>", PieceWriter::kUserDefined}},
      {105, {"<start_of_turn>", PieceWriter::kUserDefined}},
      {106, {"<end_of_turn>", PieceWriter::kUserDefined}},
      {107, {"\n", PieceWriter::kUserDefined}}};
  std::string model;
  PieceWriter pieces(model);
  while (pieces.count() < kFirstByte) {
    const auto it = named.find(pieces.count());
    if (it != named.end()) {
      pieces.Add(it->second.first, it->second.second);
    } else {
      pieces.Add(fmt::format("<unused{}>", pieces.count()), PieceWriter::kUserDefined);
    }
  }
  for (int byte = 0; byte < 256; ++byte)
    pieces.Add(fmt::format("<0x{:02X}>", byte), PieceWriter::kByte);

  // Merged pieces first, then single characters.
  const size_t characters = kLetters.size() + 1 + kIdeographs;
  const size_t merges = static_cast<size_t>(kPieces - pieces.count()) - characters;
  for (const Merge& merge : MakeMerges(merges, kSpace)) pieces.AddNormal(merge.left + merge.right);
  pieces.AddNormal(kSpace);
  for (const char letter : kLetters) pieces.AddNormal(std::string(1, letter));
  for (uint32_t i = 0; i < kIdeographs; ++i) {
    std::string character;
    AppendUtf8(kFirstIdeograph + i, character);
    pieces.AddNormal(character);
  }

  std::string trainer;
  constexpr int kBpe = 2;
  protozero::pbf_writer trainer_writer(trainer);
  trainer_writer.add_enum(3, kBpe);
  trainer_writer.add_bool(35, true);  // byte_fallback
  pieces.model().add_message(2, trainer);
  std::string normalizer;
  protozero::pbf_writer normalizer_writer(normalizer);
  normalizer_writer.add_string(1, "identity");
  normalizer_writer.add_bool(3, false);  // add_dummy_prefix
  normalizer_writer.add_bool(4, false);  // remove_extra_whitespaces
  pieces.model().add_message(3, normalizer);
  return model;
}

}  // namespace litertlm
