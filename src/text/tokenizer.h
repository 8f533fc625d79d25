// Text to token ids and back.
#ifndef LITERTLM_TEXT_TOKENIZER_H_
#define LITERTLM_TEXT_TOKENIZER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace litertlm {

using TokenId = int32_t;

/// Whether names of control tokens in a text ("<|im_end|>") stand for those tokens.
enum class ControlTokens {
  kAsText,  ///< Text of users: never a control token, whatever it spells.
  kParse,   ///< Text of prompt templates.
};

/// Immutable once it is shared; any thread may then use it.
///
/// Control tokens are those that the file calls special (Hugging Face) or control (SentencePiece),
/// and those that `MarkControl` names. Other added or user-defined tokens ("<think>", a run of
/// newlines) are ordinary vocabulary and are found in any text.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Appends the ids of `text`. Adds no start token. Bytes that are not UTF-8 are encoded as
  /// U+FFFD, one per maximal invalid sequence.
  virtual void Encode(std::string_view text, ControlTokens control,
                      std::vector<TokenId>& ids) const = 0;
  /// The bytes a token stands for in running text; they may be a part of a UTF-8 sequence. A
  /// control token gives its name. Throws kUsage for an id outside [0, size()).
  virtual std::string TokenBytes(TokenId id) const = 0;
  /// The id of the token that is spelled so (in the vocabulary's own form), if there is one.
  virtual std::optional<TokenId> Find(std::string_view piece) const = 0;
  virtual bool IsControl(TokenId id) const = 0;
  /// Makes a token a control token. Gemma's `<end_of_turn>` is a user-defined piece, for instance:
  /// without this a user's text could end the user's turn.
  virtual void MarkControl(TokenId id) = 0;
  /// One more than the largest id.
  virtual int size() const = 0;

  std::vector<TokenId> Encode(std::string_view text, ControlTokens control) const {
    std::vector<TokenId> ids;
    Encode(text, control, ids);
    return ids;
  }
  /// Whole text of a sequence; invalid UTF-8 becomes U+FFFD. Control tokens are spelled out.
  std::string Decode(const std::vector<TokenId>& ids) const;
};

/// From the bytes of a tokenizer.json (BPE or Unigram).
/// Throws kBadInput, or kUnsupported naming the part of the pipeline that is not known.
std::unique_ptr<Tokenizer> LoadHfTokenizer(Bytes json, std::string_view where);
/// The same from a HF_Tokenizer_Zlib section: u64 size, zlib stream.
std::unique_ptr<Tokenizer> LoadHfTokenizerZlib(Bytes section, std::string_view where);
/// From a SentencePiece ModelProto of type unigram or BPE.
std::unique_ptr<Tokenizer> LoadSentencePiece(Bytes model, std::string_view where);

/// Turns a stream of tokens into a stream of whole UTF-8 text: bytes of a character that is not
/// complete are held back.
class StreamDecoder {
 public:
  /// `tokenizer` must outlive the decoder.
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// The text that has become complete with this token; may be empty.
  std::string Push(TokenId id);
  /// What is left at the end, as U+FFFD where it is incomplete.
  std::string Flush();

 private:
  const Tokenizer& tokenizer_;
  std::string held_;
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_TOKENIZER_H_
