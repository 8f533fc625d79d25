#include <algorithm>
#include <cmath>

#include "base/half.h"
#include "kernels/scalar/scalar_kernels.h"

namespace litertlm {
namespace {

/// Element `i` of a matrix of integers, counted over all rows.
int IntegerAt(const WeightMatrix& w, size_t i) {
  const auto* bytes = static_cast<const uint8_t*>(w.data);
  switch (w.dtype) {
    case DType::kI4: {
      const int nibble = (bytes[i / 2] >> (i % 2 * 4)) & 0xf;
      return (nibble ^ 8) - 8;
    }
    case DType::kI2: {
      const int pair = (bytes[i / 4] >> (i % 4 * 2)) & 3;
      return (pair ^ 2) - 2;
    }
    default:
      return static_cast<int8_t>(bytes[i]);
  }
}

float ScaleOf(const WeightMatrix& w, size_t row) { return w.scales[w.scale_count == 1 ? 0 : row]; }

float BlockScaleOf(const WeightMatrix& w, size_t row, size_t block) {
  return F16ToFloat(w.block_scales[row * (w.columns / w.block) + block]);
}

/// Element (row, column) as a float, scale included.
float ValueAt(const WeightMatrix& w, size_t row, size_t column) {
  const size_t i = row * w.columns + column;
  switch (w.dtype) {
    case DType::kF32:
      return static_cast<const float*>(w.data)[i];
    case DType::kF16:
      return F16ToFloat(static_cast<const uint16_t*>(w.data)[i]);
    case DType::kBF16:
      return BF16ToFloat(static_cast<const uint16_t*>(w.data)[i]);
    default: {
      const float scale = w.block ? BlockScaleOf(w, row, column / w.block) : ScaleOf(w, row);
      return static_cast<float>(IntegerAt(w, i)) * scale;
    }
  }
}

struct CodedDot {
  int32_t products = 0;  ///< Σ (code - 128) * weight
  int32_t weights = 0;   ///< Σ weight
};

CodedDot DotCoded(const uint8_t* codes, const WeightMatrix& w, size_t row, Range columns) {
  CodedDot dot;
  for (size_t i = columns.begin; i < columns.end; ++i) {
    const int weight = IntegerAt(w, row * w.columns + i);
    dot.products += (codes[i] - 128) * weight;
    dot.weights += weight;
  }
  return dot;
}

float DynamicOutput(const DynamicArgs& args, size_t row, size_t output) {
  const RowCoding& coding = args.codings[row];
  const uint8_t* codes = args.codes + row * args.code_stride;
  const int32_t zero_point = coding.zero_point - 128;
  const float bias = args.bias ? args.bias[output] : 0.0f;
  if (args.w.block == 0) {
    const CodedDot dot = DotCoded(codes, args.w, output, {0, args.w.columns});
    const int32_t sum = dot.products - zero_point * dot.weights;
    return static_cast<float>(sum) * coding.scale * ScaleOf(args.w, output) + bias;
  }
  float products = 0;
  float weights = 0;
  for (size_t block = 0; block < args.w.columns / args.w.block; ++block) {
    const size_t begin = block * args.w.block;
    const CodedDot dot = DotCoded(codes, args.w, output, {begin, begin + args.w.block});
    const float scale = BF16ToFloat(FloatToBF16(BlockScaleOf(args.w, output, block)));
    products += static_cast<float>(dot.products) * scale;
    weights += static_cast<float>(dot.weights) * scale;
  }
  return (products - static_cast<float>(zero_point) * weights) * coding.scale + bias;
}

float FloatOutput(const FloatArgs& args, size_t row, size_t output) {
  const float* x = args.x + row * args.x_stride;
  float sum = 0;
  for (size_t i = 0; i < args.w.columns; ++i) sum += x[i] * ValueAt(args.w, output, i);
  return args.bias ? sum + args.bias[output] : sum;
}

/// Sets y[row, output] to `one(args, row, output)` for all of them.
template <typename Args>
void ComputeOutputs(float (*one)(const Args&, size_t, size_t), const Args& args, Range rows,
                    Outputs outputs) {
  for (size_t row = rows.begin; row < rows.end; ++row) {
    float* y = args.y + row * args.y_stride;
    for (size_t n = outputs.begin; n < outputs.end; ++n) {
      y[n] = one(args, row, n);
      if (outputs.apart != 0) y[n + outputs.apart] = one(args, row, n + outputs.apart);
    }
  }
}

}  // namespace

// The arithmetic of XNNPACK's qd8, step by step: each of these operations rounds to float. Its
// codes are signed; ours are greater by 128.
RowRange CodeRange(float low, float high) {
  const float inverse = low == high ? 1.0f : 255.0f / (high - low);
  const float scaled_low = low * inverse;
  const float scaled_high = high * inverse;
  const float error_low = -128.0f + scaled_low;
  const float error_high = 127.0f + scaled_high;
  const float zero = error_low + error_high > 0 ? -128.0f - scaled_low : 127.0f - scaled_high;
  const float clamped = zero > -128.0f ? std::min(zero, 127.0f) : -128.0f;
  return {inverse, static_cast<int32_t>(std::lrint(clamped)) + 128};
}

void QuantizeRowScalar(const float* x, size_t columns, uint8_t* codes, RowCoding* coding) {
  float low = 0;
  float high = 0;
  for (size_t i = 0; i < columns; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  const RowRange range = CodeRange(low, high);
  const auto least = static_cast<float>(-range.zero_point);
  const auto most = static_cast<float>(255 - range.zero_point);
  for (size_t i = 0; i < columns; ++i) {
    const float scaled = x[i] * range.inverse;
    const float clamped = scaled > least ? std::min(scaled, most) : least;  // NaN becomes `least`.
    codes[i] = static_cast<uint8_t>(std::lrint(clamped) + range.zero_point);
  }
  *coding = {1.0f / range.inverse, range.zero_point};
}

void DynamicScalar(const DynamicArgs& args, Range rows, Outputs outputs, std::byte*) {
  ComputeOutputs(DynamicOutput, args, rows, outputs);
}

void FloatingScalar(const FloatArgs& args, Range rows, Outputs outputs, std::byte*) {
  ComputeOutputs(FloatOutput, args, rows, outputs);
}

}  // namespace litertlm
