// The tokenizer of a checkpoint, as a section of the file.
#ifndef LITERTLM_CONVERT_TOKENIZER_SECTION_H_
#define LITERTLM_CONVERT_TOKENIZER_SECTION_H_

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "format/litertlm.h"
#include "text/tokenizer.h"

namespace litertlm {

struct TokenizerSection {
  SectionType type = SectionType::kNone;
  std::string bytes;
  std::unique_ptr<Tokenizer> tokenizer;
  std::string file;  ///< For messages.
};

/// Takes the first of `files` that exists in `folder`: "tokenizer.model" is stored as it is,
/// "tokenizer.json" compressed. Throws kNotFound naming them if there is none.
TokenizerSection ReadTokenizer(const std::filesystem::path& folder,
                               std::span<const std::string_view> files);

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_TOKENIZER_SECTION_H_
