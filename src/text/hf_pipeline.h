// The parts of a tokenizer.json around its model: normalizer, pre-tokenizer, decoder.
#ifndef LITERTLM_TEXT_HF_PIPELINE_H_
#define LITERTLM_TEXT_HF_PIPELINE_H_

#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/normalizer.h"
#include "text/splitter.h"

namespace litertlm {

struct HfPipeline {
  std::vector<NormalizerStep> normalizers;
  std::vector<std::unique_ptr<Splitter>> splitters;
  /// Words are encoded byte by byte (each byte has a printable stand-in in the vocabulary), not
  /// character by character.
  bool byte_level = false;
  /// What stands for a space in the vocabulary ("▁"); empty if nothing does.
  std::string space_mark;

  std::string Normalize(std::string_view text, bool first) const;
  /// Cuts `text`; the pieces are views of it.
  std::vector<std::string_view> Split(std::string_view text) const;
};

/// Throws kUnsupported naming the part that is not known, kBadInput for one that is malformed.
HfPipeline ReadHfPipeline(simdjson::dom::object tokenizer, std::string_view where);

/// The stand-in of each byte in byte-level vocabularies (GPT-2's table), as UTF-8, and back: the
/// byte of a stand-in, or -1.
std::string_view ByteLevelChar(unsigned char byte);
int ByteOfLevelChar(char32_t code);
/// The bytes that a piece spells so; the piece itself where it has other characters.
std::string BytesOfStandIns(std::string_view piece);

}  // namespace litertlm

#endif  // LITERTLM_TEXT_HF_PIPELINE_H_
