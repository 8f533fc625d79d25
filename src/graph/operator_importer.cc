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

std::string_view OperatorImporter::custom_name() const {
  const auto& code = *importer_.model_.model().operator_codes()->Get(op_.opcode_index());
  return code.custom_code() == nullptr ? std::string_view() : code.custom_code()->string_view();
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

const tflite::Tensor& OperatorImporter::InputTensor(size_t i) const {
  Check(i < inputs() && op_.inputs()->Get(i) >= 0, "an input is missing");
  return *scope_.subgraph->tensors()->Get(op_.inputs()->Get(i));
}

const tflite::Tensor& OperatorImporter::OutputTensor(size_t i) const {
  Check(i < outputs() && op_.outputs()->Get(i) >= 0, "an output is missing");
  return *scope_.subgraph->tensors()->Get(op_.outputs()->Get(i));
}

DType OperatorImporter::OutputDType(size_t i) const {
  return *DTypeFromTflite(static_cast<int>(OutputTensor(i).type()));
}

Shape OperatorImporter::OutputShape(size_t i) const {
  if (IsOpen(OutputTensor(i))) {
    Fail(ErrorCode::kUnsupported, "the file leaves its output's shape open");
  }
  return importer_.TensorShape(OutputTensor(i));
}

ValueId OperatorImporter::Emit(Op op, std::vector<ValueId> inputs, Attributes attributes,
                               DType target) {
  Graph& graph = importer_.graph_;
  Value output;
  output.name = OutputName();
  output.dtype = target;
  Node node{op, std::move(inputs), {graph.AddValue(std::move(output))}, std::move(attributes)};
  Type type = InferType(graph, node);
  const ValueId id = node.outputs.front();
  graph.value(id).dtype = type.dtype;
  graph.value(id).shape = std::move(type.shape);
  if (!importer_.Fold(node)) graph.nodes.push_back(std::move(node));
  return id;
}

ValueId OperatorImporter::EmitReshape(ValueId input, const Shape& target) {
  return Emit(Op::kReshape, {input}, TargetAttributes{target});
}

ValueId OperatorImporter::EmitActivation(ValueId input, tflite::ActivationFunctionType activation) {
  if (ValueOf(input).dtype != DType::kF32) return EmitIntegerActivation(input, activation);
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
      FailActivation(activation);
  }
}

// Clamping, written as the choices that it is made of.
ValueId OperatorImporter::EmitIntegerActivation(ValueId input,
                                                tflite::ActivationFunctionType activation) {
  using Kind = tflite::ActivationFunctionType;
  if (activation == Kind::NONE) return input;
  const bool symmetric = activation == Kind::RELU_N1_TO_1;
  if (!symmetric && activation != Kind::RELU && activation != Kind::RELU6) {
    FailActivation(activation);
  }
  const DType dtype = ValueOf(input).dtype;
  input = Emit(Op::kMaximum, {input, EmitNumbers(dtype, {}, {symmetric ? -1 : 0})});
  if (activation == Kind::RELU) return input;
  return Emit(Op::kMinimum, {input, EmitNumbers(dtype, {}, {symmetric ? 1 : 6})});
}

void OperatorImporter::FailActivation(tflite::ActivationFunctionType activation) const {
  Fail(ErrorCode::kUnsupported,
       fmt::format("its fused activation {} is not supported for its dtype",
                   static_cast<int>(activation)));
}

ValueId OperatorImporter::EmitCast(ValueId input, DType dtype) {
  return ValueOf(input).dtype == dtype ? input : Emit(Op::kCast, {input}, {}, dtype);
}

ValueId OperatorImporter::EmitLargeInteger(ValueId input) {
  if (input == kNoValue) return input;
  const DType dtype = ValueOf(input).dtype;
  const bool is_small =
      dtype == DType::kBool || dtype == DType::kI8 || dtype == DType::kU8 || dtype == DType::kI16;
  return is_small ? EmitCast(input, DType::kI32) : input;
}

ValueId OperatorImporter::EmitNumbers(DType dtype, const Shape& shape,
                                      const std::vector<int64_t>& numbers) {
  switch (dtype) {
    case DType::kF32:
      return EmitConstant(dtype, shape, std::vector<float>(numbers.begin(), numbers.end()));
    case DType::kI32:
      return EmitConstant(dtype, shape, std::vector<int32_t>(numbers.begin(), numbers.end()));
    case DType::kI64:
      return EmitConstant(dtype, shape, numbers);
    default:
      Fail(ErrorCode::kUnsupported, fmt::format("dtype {} is not supported", Info(dtype).name));
  }
}

std::vector<std::byte> OperatorImporter::AllocateTransposed(size_t bytes) {
  constexpr uint64_t kMaxTransposedBytes = uint64_t{1} << 30;
  importer_.transposed_bytes_ += bytes;
  if (importer_.transposed_bytes_ > kMaxTransposedBytes) {
    Fail(ErrorCode::kUnsupported, "too many weights lie column by column");
  }
  return std::vector<std::byte>(bytes);
}

ValueId OperatorImporter::EmitBytes(DType dtype, const Shape& shape, std::vector<std::byte> data) {
  Value value;
  value.name = OutputName();
  value.dtype = dtype;
  value.shape = Symbolic(shape);
  value.is_constant = true;
  value.storage = std::make_shared<const std::vector<std::byte>>(std::move(data));
  value.data = *value.storage;
  return AddConstant(std::move(value));
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
