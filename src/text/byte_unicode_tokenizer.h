// SentencePiece models made from a byte-level vocabulary, as `.task` bundles of Qwen, Phi and
// SmolLM have them.
#ifndef LITERTLM_TEXT_BYTE_UNICODE_TOKENIZER_H_
#define LITERTLM_TEXT_BYTE_UNICODE_TOKENIZER_H_

#include <memory>

#include "text/tokenizer.h"

namespace litertlm {

/// A tokenizer for text, from one whose pieces spell each byte of it with GPT-2's stand-in
/// character.
std::unique_ptr<Tokenizer> SpellBytesAsUnicode(std::unique_ptr<Tokenizer> pieces);

}  // namespace litertlm

#endif  // LITERTLM_TEXT_BYTE_UNICODE_TOKENIZER_H_
