#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "graph/importer.h"
#include "graph/types.h"

namespace litertlm {

OperatorImporter::OperatorImporter(Importer& importer, Importer::Scope& scope,
                                   const tflite::Operator& op, int32_t code)
    : importer_(importer), scope_(scope), op_(op), code_(code) {}

void OperatorImporter::Import() {
  const OperatorHandler handler = FindHandler(code_);
  if (handler == nullptr) {
    Fail(ErrorCode::kUnsupported, "this program does not have the operator");
  }
  Check(outputs() > 0, "it has no output");
  handler(*this);
}

std::string OperatorImporter::OutputName() const {
  return outputs() == 0 ? "nothing" : ShortName(OutputTensor(0));
}

void OperatorImporter::Fail(ErrorCode code, const std::string& detail) const {
  importer_.Fail(code, fmt::format("{}, which computes '{}': {}", TfliteOperatorName(code_),
                                   OutputName(), detail));
}

ValueId OperatorImporter::in(size_t i) {
  if (i >= inputs() || op_.inputs()->Get(i) < 0) return kNoValue;
  return importer_.Lookup(scope_, op_.inputs()->Get(i));
}

const Value& OperatorImporter::value(size_t i) {
  const ValueId id = in(i);
  if (id == kNoValue) Fail(ErrorCode::kBadInput, fmt::format("input {} is missing", i));
  return importer_.graph_.value(id);
}

std::vector<ValueId> OperatorImporter::all_inputs() {
  std::vector<ValueId> ids;
  for (size_t i = 0; i < inputs(); ++i) ids.push_back(in(i));
  return ids;
}

std::vector<int64_t> OperatorImporter::Numbers(size_t i) {
  const Value& constant = value(i);
  if (!constant.is_constant) {
    Fail(ErrorCode::kUnsupported, fmt::format("input '{}' is not a constant", constant.name));
  }
  // 2^31 stands for everything beyond: "up to the end" is written as the largest integer.
  constexpr int64_t kLimit = int64_t{1} << 31;
  std::vector<int64_t> numbers;
  const auto read = [&]<typename T>(T) {
    for (size_t at = 0; at < constant.data.size(); at += sizeof(T)) {
      T number;
      std::memcpy(&number, constant.data.data() + at, sizeof(T));
      numbers.push_back(std::clamp<int64_t>(number, -kLimit, kLimit));
    }
  };
  if (constant.dtype == DType::kI32) {
    read(int32_t{});
  } else if (constant.dtype == DType::kI64) {
    read(int64_t{});
  } else {
    Fail(ErrorCode::kUnsupported,
         fmt::format("input '{}' is {}, not an index", constant.name, Info(constant.dtype).name));
  }
  return numbers;
}

int64_t OperatorImporter::Number(size_t i) {
  const std::vector<int64_t> numbers = Numbers(i);
  Check(numbers.size() == 1, "an input that should be one number is not");
  return numbers.front();
}

int OperatorImporter::Axis(int64_t axis, int rank) const {
  Check(axis >= -rank && axis < rank, "an axis is out of range");
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

const tflite::Tensor& OperatorImporter::OutputTensor(size_t i) const {
  Check(i < outputs() && op_.outputs()->Get(i) >= 0, "an output is missing");
  return *scope_.subgraph->tensors()->Get(op_.outputs()->Get(i));
}

DType OperatorImporter::OutputDType(size_t i) const {
  return *DTypeFromTflite(static_cast<int>(OutputTensor(i).type()));
}

Shape OperatorImporter::OutputShape(size_t i) const {
  return importer_.TensorShape(OutputTensor(i));
}

ValueId OperatorImporter::Emit(Op op, std::vector<ValueId> inputs, Attributes attributes) {
  Graph& graph = importer_.graph_;
  Value output;
  output.name = OutputName();
  if (op == Op::kCast) output.dtype = OutputDType(0);
  Node node{op, std::move(inputs), {graph.AddValue(std::move(output))}, std::move(attributes)};
  Type type = InferType(graph, node);
  const ValueId id = node.outputs.front();
  graph.value(id).dtype = type.dtype;
  graph.value(id).shape = std::move(type.shape);
  graph.nodes.push_back(std::move(node));
  return id;
}

ValueId OperatorImporter::EmitReshape(ValueId input, const Shape& target) {
  return Emit(Op::kReshape, {input}, TargetAttributes{target});
}

ValueId OperatorImporter::EmitActivation(ValueId input, tflite::ActivationFunctionType activation) {
  switch (activation) {
    case tflite::ActivationFunctionType::NONE:
      return input;
    case tflite::ActivationFunctionType::RELU:
      return Emit(Op::kRelu, {input}, ReluAttributes{Activation::kRelu});
    case tflite::ActivationFunctionType::RELU_N1_TO_1:
      return Emit(Op::kRelu, {input}, ReluAttributes{Activation::kReluN1To1});
    case tflite::ActivationFunctionType::RELU6:
      return Emit(Op::kRelu, {input}, ReluAttributes{Activation::kRelu6});
    case tflite::ActivationFunctionType::TANH:
      return Emit(Op::kTanh, {input});
    default:
      Fail(ErrorCode::kUnsupported,
           fmt::format("its fused activation {} is not supported", static_cast<int>(activation)));
  }
}

ValueId OperatorImporter::EmitConstant(DType dtype, const Shape& shape,
                                       std::vector<std::byte> data) {
  Value value;
  value.name = OutputName();
  value.dtype = dtype;
  value.shape = Symbolic(shape);
  value.is_constant = true;
  value.storage = std::make_shared<const std::vector<std::byte>>(std::move(data));
  value.data = *value.storage;
  return importer_.graph_.AddValue(std::move(value));
}

void OperatorImporter::Bind(size_t output, ValueId value) {
  const tflite::Tensor& tensor = OutputTensor(output);
  const DType computed = ValueOf(value).dtype;
  if (computed != OutputDType(output)) {
    Fail(ErrorCode::kBadInput, fmt::format("its output is declared {}, but is {}",
                                           Info(OutputDType(output)).name, Info(computed).name));
  }
  const int32_t index = op_.outputs()->Get(output);
  const auto added = scope_.values.emplace(index, value);
  if (added.second) return;
  ValueId& existing = added.first->second;
  // A cache may be input and output as one tensor: from here on the tensor is what was computed.
  const auto& bindings = importer_.graph_.inputs;
  const bool is_input = std::any_of(bindings.begin(), bindings.end(), [&](const Binding& binding) {
    return binding.value == existing;
  });
  if (!is_input) {
    Fail(ErrorCode::kBadInput, fmt::format("tensor '{}' has a value already", ShortName(tensor)));
  }
  existing = value;
}

void OperatorImporter::Inline(int32_t subgraph_index) {
  const auto& subgraphs = *importer_.model_.model().subgraphs();
  Check(subgraph_index > 0 && subgraph_index < static_cast<int64_t>(subgraphs.size()),
        "its decomposition does not exist");
  Importer::Scope inner{subgraphs.Get(subgraph_index), scope_.depth + 1, {}};
  const auto* formal_inputs = inner.subgraph->inputs();
  const auto* formal_outputs = inner.subgraph->outputs();
  Check(formal_inputs != nullptr && formal_inputs->size() == inputs() &&
            formal_outputs != nullptr && formal_outputs->size() == outputs(),
        "its decomposition has other inputs or outputs than itself");
  for (size_t i = 0; i < inputs(); ++i) {
    if (in(i) != kNoValue && formal_inputs->Get(i) >= 0) {
      inner.values.emplace(formal_inputs->Get(i), in(i));
    }
  }
  importer_.ImportOperators(inner);
  for (size_t i = 0; i < outputs(); ++i) {
    Check(formal_outputs->Get(i) >= 0, "its decomposition lacks an output");
    Bind(i, importer_.Lookup(inner, formal_outputs->Get(i)));
  }
}

}  // namespace litertlm
