// What every tokenizer promises, whatever file it was made from.
#ifndef LITERTLM_FUZZ_USE_TOKENIZER_H_
#define LITERTLM_FUZZ_USE_TOKENIZER_H_

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

/// Aborts where a promise is broken. The text is `given` and the vocabulary, spelled out.
/// `strict`: text of users has no control token at all, the unknown one included.
inline void UseTokenizer(const litertlm::Tokenizer& tokenizer, std::string_view given,
                         bool strict) {
  using namespace litertlm;
  constexpr size_t kLongest = 4000;
  std::string text(given.substr(0, kLongest / 4));
  for (TokenId id = 0; id < tokenizer.size() && text.size() < kLongest; ++id) {
    text += tokenizer.TokenBytes(id).substr(0, kLongest);
  }
  for (const ControlTokens control : {ControlTokens::kAsText, ControlTokens::kParse}) {
    const std::vector<TokenId> ids = tokenizer.Encode(text, control);
    StreamDecoder stream(tokenizer);
    std::string streamed;
    for (const TokenId id : ids) {
      if (id < 0 || id >= tokenizer.size()) std::abort();
      if (strict && control == ControlTokens::kAsText && tokenizer.IsControl(id)) std::abort();
      streamed += stream.Push(id);
    }
    if (streamed + stream.Flush() != tokenizer.Decode(ids)) std::abort();
  }
}

#endif  // LITERTLM_FUZZ_USE_TOKENIZER_H_
