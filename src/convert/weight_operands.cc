#include "convert/weight_operands.h"

namespace litertlm {

std::pair<TensorId, DType> WeightOperands::Matrix(const std::string& name,
                                                  const StoredMatrix& stored) {
  const auto [it, added] = matrices_.try_emplace(name);
  if (!added) return it->second;
  const Shape shape = {static_cast<int32_t>(stored.source.rows),
                       static_cast<int32_t>(stored.source.columns)};
  const DType dtype = stored.coding.dtype;
  TensorQuantization quantization{.scales = stored.row_scales};
  if (dtype == DType::kI4) {
    const auto block = static_cast<int32_t>(stored.coding.block_size);
    quantization.block_size = block;
    quantization.block_scales = ops_.graph().AddConstant(
        name + "_scales", DType::kF16, {shape[0], shape[1] / block}, stored.block_scales);
  }
  const TensorId constant =
      ops_.graph().AddConstant(name, dtype, shape, stored.buffer, std::move(quantization));
  const bool widen = dtype == DType::kF16 || (dtype == DType::kI8 && !dynamic_);
  it->second = widen ? std::pair(ops_.Dequantize(constant, dtype, name + "_f32"), DType::kF32)
                     : std::pair(constant, dtype);
  return it->second;
}

TensorId WeightOperands::Vector(const std::string& name) {
  const auto [it, added] = vectors_.try_emplace(name);
  if (added) {
    const StoredVector& stored = weights_.Vector(name);
    it->second = ops_.graph().AddConstant(name, DType::kF32, {stored.size}, stored.buffer);
  }
  return it->second;
}

TensorId WeightOperands::Linear(TensorId x, const LinearSpec& linear, std::string_view name) {
  const auto [weight, dtype] = Matrix(linear.weight);
  const TensorId bias = linear.bias.empty() ? -1 : Vector(linear.bias);
  return ops_.FullyConnected(x, weight, dtype, bias, name);
}

}  // namespace litertlm
