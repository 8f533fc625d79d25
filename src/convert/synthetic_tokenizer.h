// Tokenizers of real size whose words are random: how long a vocabulary takes to load can be
// measured with them.
#ifndef LITERTLM_CONVERT_SYNTHETIC_TOKENIZER_H_
#define LITERTLM_CONVERT_SYNTHETIC_TOKENIZER_H_

#include <string>

namespace litertlm {

/// A tokenizer.json like Qwen3's: 151,643 pieces of byte-level BPE and 26 added tokens.
std::string Qwen3TokenizerJson();

/// A SentencePiece model like Gemma 3's: 262,144 pieces, BPE with byte fallback.
std::string Gemma3TokenizerModel();

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_SYNTHETIC_TOKENIZER_H_
