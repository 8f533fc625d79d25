// Where the text of a prompt comes from.
#ifndef LITERTLM_CLI_PROMPT_H_
#define LITERTLM_CLI_PROMPT_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "litertlm/model.h"

namespace litertlm {

struct PromptSources {
  std::optional<std::string> text;
  std::optional<std::filesystem::path> file;  ///< "-": standard input.
};

/// The parts that are there, joined by an empty line: `text`, then the file, then standard input if
/// something is piped into it. Newlines at the end of a file or of standard input are dropped.
/// Nothing if there is no part: then somebody sits at a terminal. Throws kUsage for an empty
/// prompt.
std::optional<std::string> ReadPrompt(const PromptSources& sources);

/// All of standard input, as it is. Throws kUsage if that is a terminal.
std::string ReadPipedText();

/// The file's start token and the tokens of `text`, without a template.
std::vector<int32_t> RawPrompt(const Model& model, const std::string& text, bool control);

}  // namespace litertlm

#endif  // LITERTLM_CLI_PROMPT_H_
