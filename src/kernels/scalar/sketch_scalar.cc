#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/scalar/scalar_kernels.h"
#include "kernels/scalar/sketch_bound.h"

namespace litertlm {
namespace {

constexpr size_t kHalf = kSketchColumns / 2;
/// Of sums in float, in whatever order they are added up.
constexpr float kSumMargin = 1.002f;
/// Of the largest weight: more than the rounding of a step times a code comes to.
constexpr float kStepMargin = 2e-6f;

}  // namespace

SketchStep StepOf(float squares, float largest, size_t columns) {
  // What codes normally distributed weights in 16 equal steps with the least error (J. Max,
  // "Quantizing for minimum distortion", 1960); shorter where no weight would be clipped then.
  constexpr float kStepPerDeviation = 0.335f;
  const float deviation = std::sqrt(squares / static_cast<float>(columns));
  float length = std::min(kStepPerDeviation * deviation, largest / kMostSketchCode);
  if (!(length > 0)) length = 1;
  return {length, 1 / length, largest};
}

SketchRow DescribeRow(const SketchStep& step, float scale, float squares, float largest,
                      size_t columns) {
  SketchRow row{};
  const float size = std::fabs(scale);
  const float rounding = kStepMargin * step.largest_weight;
  row.scale = scale * step.length;
  row.error =
      size * (std::sqrt(squares) * kSumMargin + rounding * std::sqrt(static_cast<float>(columns)));
  row.largest_error = size * (largest * kSumMargin + rounding);
  if (!IsUsualScale(size)) {
    row.error = std::numeric_limits<float>::infinity();
  }
  return row;
}

void SketchRowScalar(const int8_t* weights, size_t columns, float scale, uint8_t* codes,
                     SketchRow* row) {
  float squares = 0;
  float largest = 0;
  const auto measure = [&](float v) {
    squares += v * v;
    largest = std::max(largest, std::fabs(v));
  };
  for (size_t i = 0; i < columns; ++i) measure(weights[i]);
  const SketchStep step = StepOf(squares, largest, columns);
  squares = largest = 0;
  int32_t code_sum = 0;
  std::memset(codes, 0, (columns + kSketchColumns - 1) / kSketchColumns * kHalf);
  for (size_t i = 0; i < columns; ++i) {
    const auto q = static_cast<float>(weights[i]);
    const int code = std::clamp(static_cast<int>(std::nearbyint(q * step.inverse)),
                                kLeastSketchCode, kMostSketchCode);
    measure(q - static_cast<float>(code) * step.length);
    code_sum += code;
    const size_t in_part = i % kSketchColumns;
    uint8_t& byte = codes[i / kSketchColumns * kHalf + in_part % kHalf];
    byte |= static_cast<uint8_t>((code & 0xf) << (in_part < kHalf ? 0 : 4));
  }
  *row = DescribeRow(step, scale, squares, largest, columns);
  row->code_sum = code_sum;
}

size_t SketchBoundsScalar(const SketchView& sketch, const SketchInput& input, Range rows,
                          float* bounds) {
  size_t highest = rows.begin;
  float highest_bound = -std::numeric_limits<float>::infinity();
  for (size_t n = rows.begin; n < rows.end; ++n) {
    const uint8_t* codes = sketch.codes + n * sketch.row_bytes;
    int32_t sum = 0;
    for (size_t part = 0; part < sketch.row_bytes; part += kHalf) {
      const uint8_t* x = input.codes + 2 * part;
      for (size_t i = 0; i < kHalf; ++i) {
        const int byte = codes[part + i];
        sum += (((byte & 0xf) ^ 8) - 8) * x[i] + (((byte >> 4) ^ 8) - 8) * x[kHalf + i];
      }
    }
    bounds[n] =
        BoundOf(input, sketch.rows[n], sum - input.coding.zero_point * sketch.rows[n].code_sum);
    if (bounds[n] > highest_bound) {
      highest_bound = bounds[n];
      highest = n;
    }
  }
  return highest;
}

}  // namespace litertlm
