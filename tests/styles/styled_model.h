// A checkpoint written as a model file in the style of an exporter.
#ifndef LITERTLM_TESTS_STYLES_STYLED_MODEL_H_
#define LITERTLM_TESTS_STYLES_STYLED_MODEL_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "convert/convert.h"
#include "tests/graph/model_writer.h"
#include "tests/styles/exporter_style.h"

namespace litertlm {

struct StyledModelOptions {
  Quantization quantization = Quantization::kNone;
  std::vector<int> prefill_lengths = {8, 32};
  int cache_length = 96;
  bool head_norms = true;       ///< False leaves out the norms of queries and keys, as Llama does.
  bool half_turned = false;     ///< Only the first half of each head is rotated, as Phi does.
  std::string model_type = {};  ///< Of the metadata; empty for that of the checkpoint's family.
};

struct StyledModel {
  TestModel decoder;
  std::optional<TestModel> embedder;  ///< Where it is external.
  std::optional<TestModel> layer_embedder;
  std::optional<TestModel> auxiliary;  ///< Where caches are split.
};

StyledModel WriteStyledModel(const std::filesystem::path& checkpoint, const ExporterStyle& style,
                             const StyledModelOptions& options);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_STYLED_MODEL_H_
