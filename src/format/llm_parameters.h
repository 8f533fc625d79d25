// LlmParameters: MediaPipe's metadata, which `.task` bundles hold in the place of LlmMetadata.
#ifndef LITERTLM_FORMAT_LLM_PARAMETERS_H_
#define LITERTLM_FORMAT_LLM_PARAMETERS_H_

#include <string_view>

#include "base/file.h"
#include "format/llm_metadata.h"

namespace litertlm {

/// Whether the bytes are such a message. An LlmMetadata has its stop tokens in another field.
bool IsLlmParameters(Bytes bytes);

/// What the message says, as the metadata that a `.litertlm` file would have. A stop token that
/// closes the user's turn in the prompt's suffix closes the model's as well.
/// Throws kBadInput naming `where`; kUnsupported for a session prefix besides a start token that is
/// given as a number.
proto::LlmMetadata ParseLlmParameters(Bytes bytes, std::string_view where);

/// Whether the tokenizer's pieces spell bytes with GPT-2's stand-in characters. False for bytes
/// that are not such a message.
bool SpellsBytesAsUnicode(Bytes llm_parameters);

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_LLM_PARAMETERS_H_
