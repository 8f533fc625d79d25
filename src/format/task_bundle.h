// `.task` bundles: the zip archives in which MediaPipe keeps a model, its tokenizer and its
// metadata. docs/format.md.
#ifndef LITERTLM_FORMAT_TASK_BUNDLE_H_
#define LITERTLM_FORMAT_TASK_BUNDLE_H_

#include <string_view>
#include <vector>

#include "base/file.h"
#include "format/section.h"

namespace litertlm {

/// The entries as sections, each with its name as the item "entry". What an entry is follows from
/// its name, and for tokenizers and metadata, which have several forms, from its content.
/// Throws as ReadZip does.
std::vector<Section> ReadTaskBundle(Bytes bytes, std::string_view where);

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_TASK_BUNDLE_H_
