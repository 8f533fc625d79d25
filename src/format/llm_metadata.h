// LlmMetadata: the protobuf section with stop tokens, prompt templates and sampling defaults.
// Fields that this program does not know survive reading and writing.
#ifndef LITERTLM_FORMAT_LLM_METADATA_H_
#define LITERTLM_FORMAT_LLM_METADATA_H_

#include <schema/llm_metadata.pb.h>

#include <string>
#include <string_view>

#include "base/file.h"

namespace litertlm {

/// Throws kBadInput naming `where`.
proto::LlmMetadata ParseLlmMetadata(Bytes bytes, std::string_view where);
/// Deterministic: equal messages give equal bytes.
std::string SerializeLlmMetadata(const proto::LlmMetadata& metadata);

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_LLM_METADATA_H_
