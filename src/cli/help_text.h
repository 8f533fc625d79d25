// The layout of help.
#ifndef LITERTLM_CLI_HELP_TEXT_H_
#define LITERTLM_CLI_HELP_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace litertlm {

/// Where the explanations of flags begin.
inline constexpr size_t kHelpColumn = 28;

/// `help` in lines of at most `width` columns: explanations go on below their beginning, words that
/// are longer than a line stay whole, and examples stay as they are, so that they can be copied.
/// Of several empty lines one is left.
std::string LayOutHelp(std::string_view help, size_t width);

}  // namespace litertlm

#endif  // LITERTLM_CLI_HELP_TEXT_H_
