#include "tests/conformance/operators/coded_constant.h"

#include "base/half.h"

namespace litertlm {
namespace {

// Exact in bf16, in which the reference keeps scales of blocks.
std::vector<uint16_t> BlockScales(Random& random, int32_t count) {
  std::vector<uint16_t> scales;
  for (int32_t i = 0; i < count; ++i) {
    scales.push_back(FloatToF16(static_cast<float>(random.Int(64, 127)) / 4096.0f));
  }
  return scales;
}

std::vector<uint8_t> RandomCodes(Random& random, DType dtype, int32_t count) {
  // As the quantizer writes them: int8 without its lowest code.
  const int bits = Info(dtype).bits;
  const int highest = (1 << (bits - 1)) - 1;
  const int lowest = bits == 8 ? -highest : -highest - 1;
  std::vector<uint8_t> bytes(BytesFor(dtype, static_cast<uint64_t>(count)));
  for (int32_t i = 0; i < count; ++i) {
    const int code = random.Int(lowest, highest) & ((1 << bits) - 1);
    bytes[static_cast<size_t>(i * bits / 8)] |= static_cast<uint8_t>(code << (i * bits % 8));
  }
  return bytes;
}

}  // namespace

TensorId CodedConstant(OperatorCase& c, const Extents& shape, const WeightCoding& coding,
                       int axis) {
  Random& random = c.random();
  if (coding.dtype == DType::kF32) return c.Constant(DType::kF32, shape, -1, 1);
  TensorId constant;
  if (coding.dtype == DType::kF16 || coding.dtype == DType::kBF16) {
    std::vector<uint16_t> halves;
    for (const float number : random.Numbers<float>(shape, -1, 1)) {
      halves.push_back(coding.dtype == DType::kF16 ? FloatToF16(number) : FloatToBF16(number));
    }
    constant = c.writer().Constant(shape, halves, coding.dtype);
  } else {
    TensorQuantization quantization{.dimension = axis};
    if (coding.block_size > 0) {
      const int32_t blocks = shape.back() / coding.block_size;
      quantization.block_size = coding.block_size;
      quantization.block_scales = c.writer().Constant(
          {shape.front(), blocks}, BlockScales(random, shape.front() * blocks), DType::kF16);
    } else {
      const int32_t scales = coding.per_channel ? shape[static_cast<size_t>(axis)] : 1;
      quantization.scales = random.Numbers<float>({scales}, 0.001f, 0.02f);
    }
    constant = c.writer().Constant(shape, RandomCodes(random, coding.dtype, CountOf(shape)),
                                   coding.dtype, quantization);
  }
  if (!coding.weight_only) return constant;
  return c.Op(Builtin::DEQUANTIZE, {constant}, DType::kF32, shape, tflite::DequantizeOptionsT{},
              coding.dtype == DType::kF16 ? 3 : 2);
}

}  // namespace litertlm
