#include "text/hf_pipeline.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <utility>

#include "base/utf8.h"
#include "litertlm/error.h"
#include "text/base64.h"
#include "text/character_map.h"
#include "text/regex.h"

namespace litertlm {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr int kMaxNesting = 8;  // Of Sequence parts; real files have one level.

class PipelineReader {
 public:
  PipelineReader(HfPipeline& pipeline, std::string_view where)
      : pipeline_(pipeline), where_(where) {}

  void ReadNormalizer(element part, int depth = 0);
  void ReadPreTokenizer(element part, int depth = 0);
  void ReadDecoder(element part, int depth = 0);
  void CheckSplits() const {
    if (!split_at_spaces_) return;
    Unsupported("pre-tokenizer", "WhitespaceSplit without Metaspace behind it");
  }

 private:
  [[noreturn]] void Unsupported(std::string_view kind, std::string_view what) const {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: the {} \"{}\" is not supported.", where_, kind, what));
  }
  std::string_view Type(element part, int depth) const;
  template <typename Visit>
  void ForEach(element part, std::string_view key, Visit visit) const;
  bool Flag(element part, std::string_view key, bool otherwise) const;
  // What a normalizer puts into a text.
  std::string Insertion(element part, std::string_view key) const;
  void AddNormalizer(std::function<void(std::string& text)> step) {
    pipeline_.normalizers.push_back(
        [step = std::move(step)](std::string& text, bool) { step(text); });
  }
  void AddUnicodeForm(std::string_view type);
  void AddReplace(element part);
  void AddCharacterMap(element part);
  void AddSplit(element part);
  void AddByteLevel(element part);
  void AddMetaspace(element part);
  void AddDigits(element part);
  // Puts `mark` in front of a text; `always` also of what follows an added token.
  void AddPrefix(std::string mark, bool always);

  HfPipeline& pipeline_;
  std::string_view where_;
  bool split_at_spaces_ = false;  // By a WhitespaceSplit that no Metaspace has followed yet.
};

// The words between white space, each with a mark in front.
std::string WithMarkedWords(std::string_view text, std::string_view mark) {
  std::string result;
  for (const std::string_view word : SplitAtWhiteSpace(text)) {
    if (!word.starts_with(mark)) result += mark;
    result += word;
  }
  return result;
}

std::string_view PipelineReader::Type(element part, int depth) const {
  if (depth > kMaxNesting) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: Sequence parts are nested too deep.", where_));
  }
  return part["type"].get_string().value();
}

template <typename Visit>
void PipelineReader::ForEach(element part, std::string_view key, Visit visit) const {
  const simdjson::dom::array list = part[key].get_array().value();
  for (const element inner : list) visit(inner);
}

bool PipelineReader::Flag(element part, std::string_view key, bool otherwise) const {
  bool value = otherwise;
  const auto found = part[key];
  if (found.error() == simdjson::SUCCESS && !found.is_null()) value = found.get_bool().value();
  return value;
}

std::string PipelineReader::Insertion(element part, std::string_view key) const {
  const std::string_view text = part[key].get_string().value();
  if (text.size() > kMaxInsertion) {
    Unsupported("normalizer", fmt::format("{} of {} bytes", key, text.size()));
  }
  return std::string(text);
}

void PipelineReader::AddPrefix(std::string mark, bool always) {
  pipeline_.normalizers.push_back([mark = std::move(mark), always](std::string& text, bool first) {
    if (!text.empty() && (first || always)) text.insert(0, mark);
  });
}

void PipelineReader::ReadNormalizer(element part, int depth) {
  if (part.is_null()) return;
  const std::string_view type = Type(part, depth);
  if (type == "Sequence") {
    ForEach(part, "normalizers", [&](element inner) { ReadNormalizer(inner, depth + 1); });
  } else if (type == "Prepend") {
    AddPrefix(Insertion(part, "prepend"), true);
  } else if (type == "Replace") {
    AddReplace(part);
  } else if (type == "Precompiled") {
    AddCharacterMap(part);
  } else if (type == "Lowercase") {
    AddNormalizer([](std::string& text) { text = LowerCase(text); });
  } else if (type == "StripAccents") {
    AddNormalizer([](std::string& text) { text = WithoutMarks(text); });
  } else if (type == "Strip") {
    const bool left = Flag(part, "strip_left", true);
    const bool right = Flag(part, "strip_right", true);
    AddNormalizer([left, right](std::string& text) {
      text = std::string(WithoutSpacesAround(text, left, right));
    });
  } else {
    AddUnicodeForm(type);
  }
}

void PipelineReader::AddUnicodeForm(std::string_view type) {
  constexpr std::pair<std::string_view, UnicodeForm> kForms[] = {{"NFC", UnicodeForm::kC},
                                                                 {"NFD", UnicodeForm::kD},
                                                                 {"NFKC", UnicodeForm::kKC},
                                                                 {"NFKD", UnicodeForm::kKD}};
  for (const auto& [name, known] : kForms) {
    if (name != type) continue;
    AddNormalizer([form = known](std::string& text) { text = NormalizeUnicode(text, form); });
    return;
  }
  Unsupported("normalizer", type);
}

void PipelineReader::AddReplace(element part) {
  std::string to = Insertion(part, "content");
  const auto regex = part["pattern"]["Regex"];
  if (regex.error() == simdjson::SUCCESS) {
    const auto from = std::make_shared<const Regex>(std::string(regex.get_string().value()));
    AddNormalizer([from, to = std::move(to)](std::string& text) {
      std::string result;
      size_t position = 0;
      from->ForEachMatch(text, [&](size_t begin, size_t end) {
        result.append(text, position, begin - position).append(to);
        position = end;
      });
      text = result.append(text, position);
    });
    return;
  }
  std::string from(part["pattern"]["String"].get_string().value());
  if (from.empty()) Unsupported("normalizer", "Replace of an empty string");
  AddNormalizer([from = std::move(from), to = std::move(to)](std::string& text) {
    text = ReplaceAll(text, from, to);
  });
}

void PipelineReader::AddCharacterMap(element part) {
  const std::string_view coded = part["precompiled_charsmap"].get_string().value();
  const auto bytes = DecodeBase64(coded);
  if (!bytes) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: the precompiled_charsmap is not base64.", where_));
  }
  const auto rules = std::make_shared<const CharacterMap>(*bytes, where_);
  AddNormalizer([rules](std::string& text) { text = ReplaceGraphemes(text, *rules); });
}

void PipelineReader::ReadPreTokenizer(element part, int depth) {
  if (part.is_null()) return;
  const std::string_view type = Type(part, depth);
  if (type == "Sequence") {
    ForEach(part, "pretokenizers", [&](element inner) { ReadPreTokenizer(inner, depth + 1); });
  } else if (type == "Split") {
    AddSplit(part);
  } else if (type == "ByteLevel") {
    AddByteLevel(part);
  } else if (type == "Metaspace") {
    AddMetaspace(part);
  } else if (type == "WhitespaceSplit") {
    split_at_spaces_ = true;
  } else if (type == "Digits") {
    AddDigits(part);
  } else {
    Unsupported("pre-tokenizer", type);
  }
}

void PipelineReader::AddSplit(element part) {
  constexpr std::pair<std::string_view, SplitBehavior> kBehaviors[] = {
      {"Removed", SplitBehavior::kRemoved},
      {"Isolated", SplitBehavior::kIsolated},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous}};
  const std::string_view name = part["behavior"].get_string().value();
  const bool invert = Flag(part, "invert", false);
  for (const auto& [known, behavior] : kBehaviors) {
    if (known != name) continue;
    const auto regex = part["pattern"]["Regex"];
    if (regex.error() == simdjson::SUCCESS) {
      pipeline_.splitters.push_back(
          NewRegexSplitter(std::string(regex.get_string().value()), behavior, invert));
    } else {
      pipeline_.splitters.push_back(NewStringSplitter(
          std::string(part["pattern"]["String"].get_string().value()), behavior, invert));
    }
    return;
  }
  Unsupported("pre-tokenizer", fmt::format("Split with behavior {}", name));
}

void PipelineReader::AddByteLevel(element part) {
  pipeline_.byte_level = true;
  if (Flag(part, "add_prefix_space", false)) {
    pipeline_.normalizers.push_back([](std::string& text, bool) {
      if (!text.empty() && !text.starts_with(' ')) text.insert(0, 1, ' ');
    });
  }
  if (Flag(part, "use_regex", true)) {
    pipeline_.splitters.push_back(
        NewRegexSplitter(std::string(kGpt2Pattern), SplitBehavior::kIsolated, false));
  }
}

void PipelineReader::AddMetaspace(element part) {
  const std::string mark = Insertion(part, "replacement");
  std::string scheme = Flag(part, "add_prefix_space", true) ? "always" : "never";
  const auto given = part["prepend_scheme"];
  if (given.error() == simdjson::SUCCESS) scheme = given.get_string().value();
  const bool split = Flag(part, "split", true);
  if (std::exchange(split_at_spaces_, false)) {
    if (scheme != "always" || !split) {
      Unsupported("pre-tokenizer",
                  fmt::format("WhitespaceSplit with a Metaspace that prepends \"{}\"", scheme));
    }
    AddNormalizer([mark](std::string& text) { text = WithMarkedWords(text, mark); });
  } else {
    AddNormalizer([mark](std::string& text) { text = ReplaceAll(text, " ", mark); });
    if (scheme != "never") {
      const bool always = scheme == "always";
      pipeline_.normalizers.push_back([mark, always](std::string& text, bool first) {
        if ((first || always) && !text.empty() && !text.starts_with(mark)) text.insert(0, mark);
      });
    }
  }
  if (split) {
    pipeline_.splitters.push_back(NewStringSplitter(mark, SplitBehavior::kMergedWithNext, false));
  }
}

void PipelineReader::AddDigits(element part) {
  const bool individual = Flag(part, "individual_digits", false);
  pipeline_.splitters.push_back(
      NewRegexSplitter(individual ? R"(\p{N})" : R"(\p{N}+)", SplitBehavior::kIsolated, false));
}

void PipelineReader::ReadDecoder(element part, int depth) {
  if (part.is_null()) return;
  const std::string_view type = Type(part, depth);
  if (type == "Sequence") {
    ForEach(part, "decoders", [&](element inner) { ReadDecoder(inner, depth + 1); });
  } else if (type == "Replace") {
    const std::string_view to = part["content"].get_string().value();
    if (to != " ") Unsupported("decoder", "Replace by something else than a space");
    pipeline_.space_mark = part["pattern"]["String"].get_string().value();
  } else if (type == "Metaspace") {
    pipeline_.space_mark = part["replacement"].get_string().value();
  } else if (type == "ByteLevel") {
    pipeline_.byte_level = true;
  } else if (type != "ByteFallback" && type != "Fuse" && type != "Strip") {
    // ByteFallback follows from the model; Fuse has no effect on text; Strip removes the space that
    // a normalizer put in front, which a reply never begins with.
    Unsupported("decoder", type);
  }
}

struct ByteLevelTable {
  std::array<std::string, 256> chars;
  std::array<int16_t, 0x144> bytes;  // Stand-ins end at U+0143.
};

// Printable bytes of Latin-1 stand for themselves; the others, in order, for U+0100 and on.
const ByteLevelTable& Table() {
  static const ByteLevelTable table = [] {
    ByteLevelTable t;
    t.bytes.fill(-1);
    char32_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
      const char32_t code = printable ? static_cast<char32_t>(byte) : next++;
      AppendUtf8(code, t.chars[static_cast<size_t>(byte)]);
      t.bytes[code] = static_cast<int16_t>(byte);
    }
    return t;
  }();
  return table;
}

}  // namespace

std::string HfPipeline::Normalize(std::string_view text, bool first) const {
  std::string result(text);
  for (const NormalizerStep& step : normalizers) {
    step(result, first);
    CheckNormalizedSize(result.size(), text.size());
  }
  return result;
}

std::vector<std::string_view> HfPipeline::Split(std::string_view text) const {
  std::vector<std::string_view> pieces;
  if (!text.empty()) pieces.push_back(text);
  for (const std::unique_ptr<Splitter>& splitter : splitters) {
    std::vector<std::string_view> next;
    for (const std::string_view piece : pieces) splitter->Split(piece, next);
    pieces = std::move(next);
  }
  return pieces;
}

HfPipeline ReadHfPipeline(object tokenizer, std::string_view where) {
  HfPipeline pipeline;
  PipelineReader reader(pipeline, where);
  const auto read = [&](std::string_view key, auto member) {
    auto part = tokenizer[key];
    if (part.error() == simdjson::SUCCESS) (reader.*member)(part.value(), 0);
  };
  read("normalizer", &PipelineReader::ReadNormalizer);
  read("pre_tokenizer", &PipelineReader::ReadPreTokenizer);
  reader.CheckSplits();
  read("decoder", &PipelineReader::ReadDecoder);
  return pipeline;
}

std::string_view ByteLevelChar(unsigned char byte) { return Table().chars[byte]; }

int ByteOfLevelChar(char32_t code) {
  return code < Table().bytes.size() ? Table().bytes[code] : -1;
}

std::string BytesOfStandIns(std::string_view piece) {
  std::string bytes;
  for (size_t i = 0; i < piece.size();) {
    const Utf8Char c = DecodeUtf8(piece, i);
    const int byte = ByteOfLevelChar(c.code);
    if (byte < 0) return std::string(piece);
    bytes += static_cast<char>(byte);
    i += c.length;
  }
  return bytes;
}

}  // namespace litertlm
