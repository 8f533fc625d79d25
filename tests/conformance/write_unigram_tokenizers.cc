// write_unigram_tokenizers FOLDER: trains SentencePiece models and writes them as tokenizer.json
// files, with the normalizers and pre-tokenizers of several families.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <protozero/pbf_reader.hpp>
#include <string>

#include "base/json.h"
#include "tests/conformance/sentencepiece_training.h"

namespace litertlm {
namespace {

std::string Base64(std::string bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const size_t padding = (3 - bytes.size() % 3) % 3;
  bytes.append(padding, '\0');
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](size_t j) { return static_cast<unsigned char>(bytes[i + j]); };
    const uint32_t bits = uint32_t{at(0)} << 16 | uint32_t{at(1)} << 8 | at(2);
    for (const int shift : {18, 12, 6, 0}) text += kDigits[bits >> shift & 63];
  }
  return text.replace(text.size() - padding, padding, padding, '=');
}

// What of a ModelProto a tokenizer.json holds.
struct Model {
  Json vocabulary = Json::array();
  Json added_tokens = Json::array();
  std::string character_map;

  explicit Model(const std::string& bytes) {
    protozero::pbf_reader reader(bytes);
    while (reader.next()) {
      if (reader.tag() == 1) {
        AddPiece(reader.get_message());
      } else if (reader.tag() == 3) {
        protozero::pbf_reader normalizer = reader.get_message();
        if (normalizer.next(2)) character_map = normalizer.get_string();
      } else {
        reader.skip();
      }
    }
  }

 private:
  void AddPiece(protozero::pbf_reader reader) {
    std::string piece;
    float score = 0;
    int type = 1;
    while (reader.next()) {
      if (reader.tag() == 1) {
        piece = reader.get_string();
      } else if (reader.tag() == 2) {
        score = reader.get_float();
      } else {
        type = reader.get_enum();
      }
    }
    const bool special = type == 2 || type == 3;  // Unknown, control.
    if (special || type == 4) {                   // User-defined.
      added_tokens.push_back({{"id", vocabulary.size()},
                              {"content", piece},
                              {"single_word", false},
                              {"lstrip", false},
                              {"rstrip", false},
                              {"normalized", false},
                              {"special", special}});
    }
    vocabulary.push_back({piece, score});
  }
};

Json Sequence(const char* key, const Json& parts) { return {{"type", "Sequence"}, {key, parts}}; }

Json Metaspace(const char* scheme, bool split) {
  return {{"type", "Metaspace"},
          {"replacement", "\u2581"},
          {"prepend_scheme", scheme},
          {"split", split}};
}

void Write(const std::filesystem::path& folder, const std::string& name, const std::string& options,
           bool byte_fallback) {
  const Model model(TrainSentencePiece(options));
  const Json map = {{"type", "Precompiled"}, {"precompiled_charsmap", Base64(model.character_map)}};
  const Json single_spaces = {
      {"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}};
  const Json quotes = {{"type", "Replace"}, {"pattern", {{"String", "``"}}}, {"content", "\""}};
  const auto strip = [](bool left) {
    return Json{{"type", "Strip"}, {"strip_left", left}, {"strip_right", true}};
  };
  const auto simple = [](const char* type) { return Json{{"type", type}}; };
  const auto normalizers = [](const Json& parts) { return Sequence("normalizers", parts); };
  const Json marked_words = Sequence(
      "pretokenizers", Json::array({simple("WhitespaceSplit"), Metaspace("always", true)}));
  struct Style {
    const char* name;
    Json normalizer, pre_tokenizer;
  };
  const Style styles[] = {
      {"t5", map, marked_words},
      {"xlm-r", normalizers(Json::array({map, single_spaces})), Metaspace("always", true)},
      {"pegasus", normalizers(Json::array({map, strip(false), single_spaces})),
       Metaspace("first", true)},
      {"albert",
       normalizers(Json::array({quotes, simple("NFKD"), simple("StripAccents"), simple("Lowercase"),
                                map, single_spaces})),
       marked_words},
      {"whole", normalizers(Json::array({simple("NFKC"), strip(true)})),
       Metaspace("always", false)},
      {"nfd", simple("NFD"), Metaspace("never", true)}};
  Json decoder = Metaspace("always", true);
  if (byte_fallback) {
    decoder = Sequence("decoders", Json::array({simple("ByteFallback"), decoder}));
  }
  for (const Style& style : styles) {
    const Json tokenizer = {{"version", "1.0"},
                            {"truncation", nullptr},
                            {"padding", nullptr},
                            {"added_tokens", model.added_tokens},
                            {"normalizer", style.normalizer},
                            {"pre_tokenizer", style.pre_tokenizer},
                            {"post_processor", nullptr},
                            {"decoder", decoder},
                            {"model",
                             {{"type", "Unigram"},
                              {"unk_id", 0},
                              {"vocab", model.vocabulary},
                              {"byte_fallback", byte_fallback}}}};
    std::ofstream(folder / (name + "-" + style.name + ".json")) << DumpJson(tokenizer);
  }
}

}  // namespace
}  // namespace litertlm

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: write_unigram_tokenizers FOLDER\n";
    return 64;
  }
  try {
    litertlm::Write(argv[1], "unknown", "--vocab_size=1200", false);
    litertlm::Write(argv[1], "bytes", "--vocab_size=1500 --byte_fallback=true", true);
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
