// A whole model file in the style of an exporter.
#ifndef LITERTLM_TESTS_STYLES_STYLED_FILE_H_
#define LITERTLM_TESTS_STYLES_STYLED_FILE_H_

#include <filesystem>

#include "tests/styles/styled_model.h"

namespace litertlm {

/// What `Convert` writes for the checkpoint, with the graph drawn in `style`; further models
/// are sections of their own. By the extension of `output` a `.litertlm` file, a `.task` bundle
/// with its tokenizer as it lies in the checkpoint, or `.tflite` files: each model in one of its
/// own, the decoder in `output`, without tokenizer and metadata.
void WriteStyledFile(const std::filesystem::path& checkpoint, const ExporterStyle& style,
                     const StyledModelOptions& options, const std::filesystem::path& output);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_STYLED_FILE_H_
