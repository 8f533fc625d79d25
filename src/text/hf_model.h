// The "model" of a tokenizer.json: what makes tokens of words.
#ifndef LITERTLM_TEXT_HF_MODEL_H_
#define LITERTLM_TEXT_HF_MODEL_H_

#include <simdjson.h>

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "text/control_set.h"
#include "text/hf_pipeline.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"
#include "text/word_cutter.h"

namespace litertlm {

class HfModel {
 public:
  virtual ~HfModel() = default;
  /// Appends the ids of a word. None of them is in `control`, but for what stands for unknown
  /// characters.
  virtual void EncodeWord(std::string_view word, const ControlSet& control,
                          std::vector<TokenId>& ids) const = 0;
  /// Cuts words where that does not change their tokens.
  virtual WordCutter Cutter() const { return {}; }
};

/// From the file's "model", whose vocabulary is read already. The vocabulary must outlive it.
/// Throws as LoadHfTokenizer does, naming `where`.
std::unique_ptr<HfModel> NewHfBpe(simdjson::dom::object model, const HfPipeline& pipeline,
                                  const Vocabulary& vocabulary, std::string_view where);
std::unique_ptr<HfModel> NewHfUnigram(simdjson::dom::object model, const HfPipeline& pipeline,
                                      const Vocabulary& vocabulary, std::string_view where);

/// False where there is none.
bool HfFlag(simdjson::dom::object model, std::string_view key);

/// The pieces that stand for single bytes.
class HfBytePieces {
 public:
  HfBytePieces(const Vocabulary& vocabulary, bool byte_level);
  /// -1 where there is none, or only one of `control`.
  TokenId Find(char byte, const ControlSet& control) const {
    const TokenId id = ids_[static_cast<unsigned char>(byte)];
    return control.Has(id) ? -1 : id;
  }
  bool HasAll(std::string_view text, const ControlSet& control) const;

 private:
  std::array<TokenId, 256> ids_;
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_HF_MODEL_H_
