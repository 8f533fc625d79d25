#include "graph/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "graph/importer.h"
#include "graph/missing_operators.h"
#include "graph/named_operators.h"
#include "graph/types.h"

namespace litertlm {
namespace {

// Far above what any model has, so that composites that call each other cannot grow without end.
constexpr int64_t kMaxOperators = 200'000;
constexpr int kMaxDepth = 8;
// Constants that do not lie at a multiple of their element's size are copied: all together, and
// again in each composite that reads them, up to this size.
constexpr size_t kMaxCopiedBytes = size_t{1} << 20;
constexpr size_t kMaxBindingName = 1000;

std::string_view Text(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view() : std::string_view(text->c_str(), text->size());
}

DType DTypeOf(const tflite::Tensor& tensor) {
  return *DTypeFromTflite(static_cast<int>(tensor.type()));
}

template <typename Table>
auto Items(const flatbuffers::Vector<flatbuffers::Offset<Table>>* items) {
  std::vector<const Table*> result;
  if (items != nullptr) result.assign(items->begin(), items->end());
  return result;
}

}  // namespace

std::string ShortName(const tflite::Tensor& tensor) {
  constexpr size_t kMaxName = 200;
  return std::string(Text(tensor.name()).substr(0, kMaxName));
}

std::vector<std::string> SignatureKeys(const TfliteModel& model) {
  std::vector<std::string> keys;
  for (const auto* signature : Items(model.model().signature_defs())) {
    keys.emplace_back(Text(signature->signature_key()));
  }
  return keys;
}

std::vector<std::string> InputNames(const TfliteModel& model, std::string_view key) {
  const OpenShapes none;
  const Importer importer(model, key, none);
  std::vector<std::string> names;
  for (const auto* binding : Items(importer.signature()->inputs())) {
    names.emplace_back(Text(binding->name()));
  }
  return names;
}

std::optional<Shape> InputShape(const TfliteModel& model, std::string_view key,
                                std::string_view input) {
  const OpenShapes none;
  const Importer importer(model, key, none);
  const auto* signature = importer.signature();
  for (const auto* binding : Items(signature->inputs())) {
    if (Text(binding->name()) != input) continue;
    const auto& subgraph = *model.model().subgraphs()->Get(signature->subgraph_index());
    return importer.TensorShape(
        *subgraph.tensors()->Get(static_cast<int32_t>(binding->tensor_index())));
  }
  return std::nullopt;
}

Graph ImportSignature(const TfliteModel& model, std::string_view key, const OpenShapes& open) {
  return Importer(model, key, open).Import();
}

bool IsOpen(const tflite::Tensor& tensor) {
  const auto* extents = tensor.shape_signature();
  return extents != nullptr && std::find(extents->begin(), extents->end(), -1) != extents->end();
}

Importer::Importer(const TfliteModel& model, std::string_view key, const OpenShapes& open)
    : model_(model), open_(open) {
  graph_.name = fmt::format("{}, signature '{}'", model.name(), key);
  for (const auto* signature : Items(model.model().signature_defs())) {
    if (Text(signature->signature_key()) == key) signature_ = signature;
  }
  if (signature_ == nullptr) {
    throw Error(ErrorCode::kNotFound, fmt::format("{}: there is no such signature.", graph_.name));
  }
}

Graph Importer::Import() {
  Scope scope{model_.model().subgraphs()->Get(signature_->subgraph_index()), 0, {}};
  const auto name_of = [&](const tflite::TensorMap& binding) {
    if (Text(binding.name()).size() > kMaxBindingName) {
      Fail(ErrorCode::kUnsupported, fmt::format("an input or output has a name of {} characters",
                                                Text(binding.name()).size()));
    }
    return std::string(Text(binding.name()));
  };
  for (const auto* input : Items(signature_->inputs())) {
    const auto tensor = static_cast<int32_t>(input->tensor_index());
    graph_.inputs.push_back({name_of(*input), AddInput(scope, name_of(*input), tensor)});
  }
  ImportOperators(scope);
  for (const auto* output : Items(signature_->outputs())) {
    const auto tensor = static_cast<int32_t>(output->tensor_index());
    graph_.outputs.push_back({name_of(*output), Lookup(scope, tensor)});
  }
  return std::move(graph_);
}

void Importer::Fail(ErrorCode code, const std::string& detail) const {
  throw Error(code, fmt::format("{}: {}.", graph_.name, detail));
}

ValueId Importer::AddInput(Scope& scope, std::string_view name, int32_t index) {
  const tflite::Tensor& tensor = *scope.subgraph->tensors()->Get(index);
  Shape shape = TensorShape(tensor);
  for (int axis = 0; IsOpen(tensor) && axis < shape.rank(); ++axis) {
    if (tensor.shape_signature()->Get(static_cast<uint32_t>(axis)) != -1) continue;
    shape[axis] = open_.length ? open_.length(name, axis, shape.rank()) : 0;
    if (shape[axis] < 1) {
      Fail(ErrorCode::kUnsupported,
           fmt::format("dimension {} of input '{}' is open, and this program does not know its "
                       "length",
                       axis, name));
    }
  }
  Value value;
  value.name = ShortName(tensor);
  value.dtype = DTypeOf(tensor);
  value.shape = Symbolic(Concrete(Symbolic(shape), 1));
  const auto [it, is_new] = scope.values.emplace(index, kNoValue);
  if (!is_new) Fail(ErrorCode::kBadInput, fmt::format("'{}' is an input twice", value.name));
  it->second = graph_.AddValue(std::move(value));
  return it->second;
}

Shape Importer::TensorShape(const tflite::Tensor& tensor) const {
  SymbolicShape shape;
  if (tensor.shape() != nullptr) {
    if (tensor.shape()->size() > kMaxRank) {
      Fail(ErrorCode::kUnsupported,
           fmt::format("'{}' has {} dimensions", Text(tensor.name()), tensor.shape()->size()));
    }
    for (const int32_t extent : *tensor.shape()) {
      if (extent < 0) {
        Fail(ErrorCode::kBadInput,
             fmt::format("'{}' has the dimension {}", Text(tensor.name()), extent));
      }
      shape.push_back(extent);
    }
  }
  return Concrete(shape, 1);
}

ValueId Importer::Lookup(Scope& scope, int32_t index) {
  if (const auto it = scope.values.find(index); it != scope.values.end()) return it->second;
  const tflite::Tensor& tensor = *scope.subgraph->tensors()->Get(index);
  const bool is_constant = !model_.Data(tensor).empty() || TensorShape(tensor).count() == 0;
  if (!is_constant) {
    Fail(ErrorCode::kBadInput,
         fmt::format("tensor '{}' is used before it is computed", Text(tensor.name())));
  }
  const ValueId id = AddConstant(*scope.subgraph, tensor);
  scope.values.emplace(index, id);
  return id;
}

ValueId Importer::AddConstant(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor) {
  Value value;
  value.name = ShortName(tensor);
  value.dtype = DTypeOf(tensor);
  const Shape shape = TensorShape(tensor);
  value.shape = Symbolic(shape);
  value.is_constant = true;
  value.data = model_.Data(tensor);
  if (value.data.size() != BytesFor(value.dtype, static_cast<uint64_t>(shape.count()))) {
    Fail(ErrorCode::kBadInput, fmt::format("constant '{}' has {} bytes, which do not fit its shape",
                                           value.name, value.data.size()));
  }
  const size_t alignment = std::max(Info(value.dtype).bits / 8, 1);
  if (reinterpret_cast<uintptr_t>(value.data.data()) % alignment != 0) {
    copied_bytes_ += value.data.size();
    if (copied_bytes_ > kMaxCopiedBytes) {
      Fail(ErrorCode::kUnsupported, fmt::format("constant '{}' is not aligned", value.name));
    }
    value.storage = std::make_shared<std::vector<std::byte>>(value.data.begin(), value.data.end());
    value.data = *value.storage;
  }
  value.quantization = ReadQuantization(subgraph, tensor);
  return graph_.AddValue(std::move(value));
}

Quantization Importer::ReadQuantization(const tflite::SubGraph& subgraph,
                                        const tflite::Tensor& tensor) {
  Quantization result;
  const tflite::QuantizationParameters* parameters = tensor.quantization();
  if (parameters == nullptr || Info(DTypeOf(tensor)).bits > 8) return result;
  const auto fail = [&](ErrorCode code, const char* detail) {
    Fail(code, fmt::format("constant '{}': {}", Text(tensor.name()), detail));
  };
  if (const auto* zeros = parameters->zero_point()) {
    result.has_zero_points =
        std::any_of(zeros->begin(), zeros->end(), [](int64_t zero) { return zero != 0; });
  }
  if (const auto* scales = parameters->scale()) result.scales = {scales->data(), scales->size()};
  result.dimension = parameters->quantized_dimension();
  if (const auto* blocks = parameters->details_as_BlockwiseQuantization()) {
    const auto tensors = static_cast<int64_t>(subgraph.tensors()->size());
    if (blocks->scales() < 0 || blocks->scales() >= tensors || blocks->block_size() <= 0) {
      fail(ErrorCode::kBadInput, "its block scales are out of range");
    }
    const tflite::Tensor& scales = *subgraph.tensors()->Get(blocks->scales());
    const Bytes data = model_.Data(scales);
    if (DTypeOf(scales) != DType::kF16 || reinterpret_cast<uintptr_t>(data.data()) % 2 != 0) {
      fail(ErrorCode::kUnsupported, "its block scales are not aligned f16 numbers");
    }
    result.block_scales = {reinterpret_cast<const uint16_t*>(data.data()), data.size() / 2};
    result.block_size = blocks->block_size();
  }
  return result;
}

bool Importer::Fold(const Node& node) {
  constexpr int64_t kMostNumbers = 64;
  if (!open_.evaluate || node.outputs.size() != 1) return false;
  Value& output = graph_.value(node.outputs.front());
  const bool is_index = output.dtype == DType::kI32 || output.dtype == DType::kI64;
  if (!is_index || Concrete(output.shape, 1).count() > kMostNumbers ||
      !std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
        return input == kNoValue || graph_.value(input).is_constant;
      })) {
    return false;
  }
  output.storage = std::make_shared<const std::vector<std::byte>>(open_.evaluate(graph_, node));
  output.data = *output.storage;
  output.is_constant = true;
  return true;
}

void Importer::ImportOperators(Scope& scope) {
  if (scope.depth > kMaxDepth) Fail(ErrorCode::kUnsupported, "composites are nested too deeply");
  for (const auto* op : Items(scope.subgraph->operators())) {
    if (++operators_ > kMaxOperators) Fail(ErrorCode::kUnsupported, "it has too many operators");
    const auto& code = *model_.model().operator_codes()->Get(op->opcode_index());
    const int32_t builtin = BuiltinCode(code);
    if (builtin == static_cast<int32_t>(tflite::BuiltinOperator::CUSTOM) &&
        FindNamedHandler(Text(code.custom_code())) == nullptr) {
      Fail(ErrorCode::kUnsupported, CustomOperatorReason(Text(code.custom_code())));
    }
    OperatorImporter(*this, scope, *op, builtin).Import();
  }
}

}  // namespace litertlm
