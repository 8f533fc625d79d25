// Files that are taken for a model by mistake: what they are, so that a message can say so.
#ifndef LITERTLM_FORMAT_FOREIGN_FORMAT_H_
#define LITERTLM_FORMAT_FOREIGN_FORMAT_H_

#include <string_view>

#include "base/file.h"

namespace litertlm {

/// Whether this is what a repository that was cloned without Git LFS has in the place of a file.
bool IsGitLfsPointer(Bytes bytes);

inline constexpr std::string_view kGitLfsHint =
    "It is a pointer of Git LFS: `git lfs pull` fetches the file itself.";

/// A hint for what is no model: what it is instead, of what people meet most often.
std::string_view ForeignFormatHint(Bytes bytes);

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_FOREIGN_FORMAT_H_
