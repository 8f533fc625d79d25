// A prompt before it is tokens.
#ifndef LITERTLM_TEXT_PROMPT_PART_H_
#define LITERTLM_TEXT_PROMPT_PART_H_

#include <string>

#include "text/tokenizer.h"

namespace litertlm {

/// A stretch of a prompt. Only template text may become control tokens.
struct PromptPart {
  std::string text;
  ControlTokens control;
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_PROMPT_PART_H_
