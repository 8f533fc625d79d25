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

float CodedBlockScale(const WeightMatrix& w, size_t row, size_t block) {
  return BF16ToFloat(FloatToBF16(BlockScaleOf(w, row, block)));
}

/// A row of integers, one byte each, made ready once for all rows of activations.
class IntegerRow {
 public:
  /// Unpacks what is smaller than a byte into `scratch`.
  IntegerRow(const WeightMatrix& w, size_t row, std::byte* scratch)
      : w_(w), row_(row), weights_(BytesOf(w, row, reinterpret_cast<int8_t*>(scratch))) {
    if (w.block == 0) {
      for (size_t i = 0; i < w.columns; ++i) sum_ += weights_[i];
    } else {
      SumScaled();
    }
  }

  /// The product with codes before bias.
  float Product(const uint8_t* codes, const RowCoding& coding) const {
    const int32_t zero_point = coding.zero_point - 128;
    if (w_.block == 0) {
      const int32_t sum = Dot(codes, {0, w_.columns}) - zero_point * sum_;
      return static_cast<float>(sum) * coding.scale * ScaleOf(w_, row_);
    }
    float sum = static_cast<float>(-zero_point) * scaled_sum_;
    for (size_t begin = 0; begin < w_.columns; begin += w_.block) {
      const int32_t dot = Dot(codes, {begin, begin + w_.block});
      sum += static_cast<float>(dot) * CodedBlockScale(w_, row_, begin / w_.block);
    }
    return sum * coding.scale;
  }

 private:
  static const int8_t* BytesOf(const WeightMatrix& w, size_t row, int8_t* unpacked) {
    const size_t first = row * w.columns;
    if (w.dtype == DType::kI8) return static_cast<const int8_t*>(w.data) + first;
    for (size_t i = 0; i < w.columns; ++i) {
      unpacked[i] = static_cast<int8_t>(IntegerAt(w, first + i));
    }
    return unpacked;
  }

  // Two weights at a time, as XNNPACK does when it packs them: where scales differ, sums round.
  void SumScaled() {
    for (size_t begin = 0; begin < w_.columns; begin += w_.block) {
      const float scale = CodedBlockScale(w_, row_, begin / w_.block);
      for (size_t i = begin; i < begin + w_.block; i += 2) {
        scaled_sum_ += static_cast<float>(weights_[i] + weights_[i + 1]) * scale;
      }
    }
  }

  /// Σ (code - 128) * weight
  int32_t Dot(const uint8_t* codes, Range columns) const {
    int32_t sum = 0;
    for (size_t i = columns.begin; i < columns.end; ++i) sum += (codes[i] - 128) * weights_[i];
    return sum;
  }

  const WeightMatrix& w_;
  size_t row_;
  const int8_t* weights_;
  int32_t sum_ = 0;       ///< Of the weights, where no block has a scale of its own.
  float scaled_sum_ = 0;  ///< Of the weights times their blocks' scales.
};

float FloatOutput(const FloatArgs& args, size_t row, size_t output) {
  const float* x = args.x + row * args.x_stride;
  float sum = args.bias ? args.bias[output] : 0.0f;
  for (size_t i = 0; i < args.w.columns; ++i) sum += x[i] * ValueAt(args.w, output, i);
  return sum;
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

void DynamicScalar(const DynamicArgs& args, Range rows, Range outputs, PanelMemory memory) {
  for (size_t output = outputs.begin; output < outputs.end; ++output) {
    const IntegerRow weights(args.w, output, memory.bytes);
    const float bias = args.bias ? args.bias[output] : 0.0f;
    for (size_t row = rows.begin; row < rows.end; ++row) {
      const uint8_t* codes = args.codes + row * args.code_stride;
      args.y[row * args.y_stride + output] = weights.Product(codes, args.codings[row]) + bias;
    }
  }
}

void FloatingScalar(const FloatArgs& args, Range rows, Range outputs, PanelMemory) {
  for (size_t output = outputs.begin; output < outputs.end; ++output) {
    for (size_t row = rows.begin; row < rows.end; ++row) {
      args.y[row * args.y_stride + output] = FloatOutput(args, row, output);
    }
  }
}

}  // namespace litertlm
