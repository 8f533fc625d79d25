// Composites: operators that carry their own definition as a subgraph.
// FlexBuffers can parse numbers from text, for which they would need FlatBuffers' library; nothing
// here is text.
#define FLATBUFFERS_LOCALE_INDEPENDENT 0
#include <flatbuffers/flexbuffers.h>
#include <fmt/format.h>

#include <optional>

#include "graph/importer.h"

namespace litertlm {
namespace {

std::optional<float> ReadEpsilon(const tflite::StableHLOCompositeOptions& options) {
  const auto* attributes = options.composite_attributes();
  if (attributes == nullptr || options.composite_attributes_format() != 0) return std::nullopt;
  std::vector<uint8_t> tracker;
  if (!flexbuffers::VerifyBuffer(attributes->data(), attributes->size(), &tracker)) {
    return std::nullopt;
  }
  const auto root = flexbuffers::GetRoot(attributes->data(), attributes->size());
  if (!root.IsMap()) return std::nullopt;
  const auto epsilon = root.AsMap()["epsilon"];
  if (!epsilon.IsFloat()) return std::nullopt;
  return epsilon.AsFloat();
}

constexpr size_t kMaxNameInMessage = 200;

bool IsNormOfLastAxis(OperatorImporter& op) {
  return op.inputs() == 2 && op.outputs() == 1 && op.value(0).dtype == DType::kF32 &&
         op.value(1).dtype == DType::kF32 && op.rank(0) >= 1 && op.rank(1) == 1 &&
         op.value(1).shape[0] == op.value(0).shape.back();
}

}  // namespace

void ImportComposite(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_2_as_StableHLOCompositeOptions();
  op.Check(options != nullptr && options->name() != nullptr, "it has no name");
  if (options->name()->string_view() == "odml.rms_norm" && IsNormOfLastAxis(op)) {
    if (const std::optional<float> epsilon = ReadEpsilon(*options)) {
      op.Bind(0, op.Emit(Op::kRmsNorm, {op.in(0), op.in(1)}, RmsNormAttributes{*epsilon}));
      return;
    }
  }
  // Subgraph 0 is the model's first signature, and what stands where none was written.
  if (options->decomposition_subgraph_index() == 0) {
    op.Fail(ErrorCode::kUnsupported,
            fmt::format("this program does not have the composite '{}', which has no decomposition",
                        options->name()->string_view().substr(0, kMaxNameInMessage)));
  }
  op.Inline(options->decomposition_subgraph_index());
}

}  // namespace litertlm
