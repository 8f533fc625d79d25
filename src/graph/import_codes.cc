// Operators between numbers and the codes that stand for them.
#include <fmt/format.h>

#include <cmath>

#include "graph/importer.h"

namespace litertlm {
namespace {

bool IsCode(DType dtype) {
  return dtype == DType::kI8 || dtype == DType::kU8 || dtype == DType::kI16;
}

// Weights that a matrix or table can read without widening all of them.
bool AreWeights(const Value& value) {
  const Quantization& quantization = value.quantization;
  return value.is_constant && value.dtype == DType::kI8 && !quantization.has_zero_points &&
         (quantization.scales.size() <= 1 || quantization.dimension == 0);
}

// (code - zero point) * scale, written with the operators that compute it.
ValueId EmitWidening(OperatorImporter& op) {
  const tflite::QuantizationParameters* parameters = op.InputTensor(0).quantization();
  op.Check(
      parameters != nullptr && parameters->scale() != nullptr && parameters->scale()->size() > 0,
      "its input has no scales");
  const std::vector<float> scales(parameters->scale()->begin(), parameters->scale()->end());
  // One for all elements, or one for each index along an axis.
  Shape shape;
  if (scales.size() > 1) {
    for (int axis = 0; axis < op.rank(0); ++axis) {
      const bool scaled = axis == parameters->quantized_dimension();
      shape.push_back(scaled ? static_cast<int64_t>(scales.size()) : 1);
    }
  }
  ValueId number = op.EmitCast(op.in(0), DType::kF32);
  if (const auto* zeros = parameters->zero_point(); zeros != nullptr && zeros->size() > 0) {
    const std::vector<float> points(zeros->begin(), zeros->end());
    const Shape one_or_all = points.size() == 1 ? Shape{} : shape;
    number = op.Emit(Op::kSub, {number, op.EmitConstant(DType::kF32, one_or_all, points)});
  }
  return op.Emit(Op::kMul, {number, op.EmitConstant(DType::kF32, shape, scales)});
}

}  // namespace

void ImportDequantize(OperatorImporter& op) {
  const Value& input = op.value(0);
  const bool widen = IsCode(input.dtype) && !AreWeights(input);
  op.Bind(0, widen ? EmitWidening(op) : op.Emit(Op::kDequantize, op.all_inputs()));
}

void ImportQuantize(OperatorImporter& op) {
  const tflite::QuantizationParameters* parameters = op.OutputTensor(0).quantization();
  const auto* scales = parameters == nullptr ? nullptr : parameters->scale();
  op.Check(scales != nullptr && scales->size() > 0, "its output has no scale");
  if (scales->size() > 1) {
    op.Fail(ErrorCode::kUnsupported, fmt::format("its output has {} scales", scales->size()));
  }
  const auto* zeros = parameters->zero_point();
  const int64_t zero_point = zeros == nullptr || zeros->size() == 0 ? 0 : zeros->Get(0);
  op.Check(scales->Get(0) > 0 && std::abs(zero_point) <= 65535,
           "the scale or zero point of its output is out of range");
  const ValueId number = IsCode(op.value(0).dtype) ? EmitWidening(op) : op.in(0);
  op.Bind(0, op.Emit(Op::kQuantize, {number},
                     QuantizeAttributes{scales->Get(0), static_cast<int32_t>(zero_point)},
                     op.OutputDType(0)));
}

}  // namespace litertlm
