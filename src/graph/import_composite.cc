// Composites, which carry their own definition as a subgraph, and custom operators, which have
// none.
#include <fmt/format.h>

#include "graph/named_operators.h"

namespace litertlm {
namespace {

constexpr size_t kMaxNameInMessage = 200;

bool ImportNamed(OperatorImporter& op, std::string_view name,
                 const flatbuffers::Vector<uint8_t>* bytes) {
  const NamedHandler handler = FindNamedHandler(name);
  if (handler == nullptr) return false;
  const std::optional<NamedAttributes> attributes = NamedAttributes::Read(bytes);
  return attributes && handler(op, *attributes);
}

}  // namespace

void ImportComposite(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_2_as_StableHLOCompositeOptions();
  op.Check(options != nullptr && options->name() != nullptr, "it has no name");
  const std::string_view name = options->name()->string_view();
  const bool readable = options->composite_attributes_format() == 0;
  if (readable && ImportNamed(op, name, options->composite_attributes())) return;
  // Subgraph 0 is the model's first signature, and what stands where none was written.
  if (options->decomposition_subgraph_index() == 0) {
    op.Fail(ErrorCode::kUnsupported,
            fmt::format("this program does not have the composite '{}', which has no decomposition",
                        name.substr(0, kMaxNameInMessage)));
  }
  op.Inline(options->decomposition_subgraph_index());
}

void ImportCustom(OperatorImporter& op) {
  const std::string_view name = op.custom_name();
  if (ImportNamed(op, name, op.op().custom_options())) return;
  op.Fail(ErrorCode::kUnsupported,
          fmt::format("'{}' has inputs or attributes that this program does not know", name));
}

}  // namespace litertlm
