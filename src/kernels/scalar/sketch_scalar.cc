#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/scalar/scalar_kernels.h"
#include "kernels/scalar/sketch_bound.h"

namespace litertlm {
namespace {

/// Of sums in float, in whatever order they are added up.
constexpr float kSumMargin = 1.002f;
/// Of the largest weight: more than the rounding of a step times a code comes to.
constexpr float kStepMargin = 2e-6f;

int NumberOf(float weight, const SketchUnit& unit) {
  const float x = std::min(std::fabs(weight) * unit.inverse, kSketchReach);
  const float square = x * x;
  const float slope = (square * SketchCurve::c + SketchCurve::b) * square + SketchCurve::a;
  return static_cast<int>(std::nearbyint(x * slope - 0.5f));
}

/// Where the number and the sign of a column lie in a band.
struct ColumnPlace {
  ColumnPlace(size_t row, size_t column, size_t parts)
      : number((row * parts + column / kSketchColumns) * kSketchLine + column % kSketchLine),
        sign((kSketchRows * parts + column / kSketchColumns) * kSketchLine + column % kSketchLine),
        shift(column % kSketchColumns < kSketchLine ? 0 : 4),
        bit(static_cast<int>(2 * row) + shift / 4) {}
  size_t number;
  size_t sign;
  int shift;
  int bit;
};

}  // namespace

SketchUnit UnitOf(float squares, float largest, size_t columns) {
  const float deviation = std::sqrt(squares / static_cast<float>(columns));
  // Shorter where no weight is as far away as the last level.
  const float unit = std::min(deviation / kSketchUnits, largest / kSketchLevel[kSketchLevels - 1]);
  const float inverse = unit > 0 ? 1 / (unit * kSketchUnits) : 0.0f;
  return {unit, inverse, largest};
}

void PackSketchSigns(const int8_t* weights, size_t row, uint8_t* signs) {
  constexpr uint64_t kLowest = 0x0101010101010101u;
  for (size_t i = 0; i < kSketchLine; i += sizeof(uint64_t)) {
    uint64_t halves[2];
    uint64_t packed;
    std::memcpy(&halves[0], weights + i, sizeof(uint64_t));
    std::memcpy(&halves[1], weights + kSketchLine + i, sizeof(uint64_t));
    std::memcpy(&packed, signs + i, sizeof packed);
    packed |= ((halves[0] >> 7 & kLowest) | (halves[1] >> 7 & kLowest) << 1) << 2 * row;
    std::memcpy(signs + i, &packed, sizeof packed);
  }
}

void DescribeRow(const SketchUnit& unit, float scale, float squares, float largest, size_t columns,
                 size_t row, SketchFacts* facts) {
  const float size = std::fabs(scale);
  const float rounding = kStepMargin * unit.largest_weight;
  const float error = std::sqrt(squares) * kSumMargin;
  facts->scale[row] = scale * unit.unit;
  facts->error[row] = IsUsualScale(size)
                          ? size * (error + rounding * std::sqrt(static_cast<float>(columns)))
                          : std::numeric_limits<float>::infinity();
  facts->largest_error[row] = size * (largest * kSumMargin + rounding);
}

void SketchRowScalar(const int8_t* weights, size_t columns, float scale, size_t row,
                     uint8_t* band) {
  float squares = 0;
  float largest = 0;
  const auto measure = [&](float v) {
    squares += v * v;
    largest = std::max(largest, std::fabs(v));
  };
  for (size_t i = 0; i < columns; ++i) measure(weights[i]);
  const SketchUnit unit = UnitOf(squares, largest, columns);
  squares = largest = 0;
  int32_t level_sum = 0;
  const size_t parts = SketchParts(columns);
  for (size_t i = 0; i < parts * kSketchColumns; ++i) {
    const bool inside = i < columns;
    const int number = inside ? NumberOf(weights[i], unit) : 0;
    const bool negative = inside ? weights[i] < 0 : i % 2 == 1;
    const int level = negative ? -kSketchLevel[number] : kSketchLevel[number];
    if (inside) measure(static_cast<float>(weights[i]) - static_cast<float>(level) * unit.unit);
    level_sum += level;
    const ColumnPlace place(row, i, parts);
    band[place.number] |= static_cast<uint8_t>(number << place.shift);
    band[place.sign] |= static_cast<uint8_t>(negative << place.bit);
  }
  DescribeRow(unit, scale, squares, largest, columns, row, SketchFactsOf(band, parts));
  SketchFactsOf(band, parts)->level_sum[row] = level_sum;
}

size_t SketchBoundsScalar(const SketchView& sketch, const SketchInput& input, Range rows,
                          float* bounds) {
  size_t highest = rows.begin;
  float highest_bound = -std::numeric_limits<float>::infinity();
  for (size_t n = rows.begin; n < rows.end; ++n) {
    const uint8_t* band = sketch.bands + n / kSketchRows * SketchBandBytes(sketch.parts);
    const size_t row = n % kSketchRows;
    int32_t sum = 0;
    for (size_t i = 0; i < sketch.parts * kSketchColumns; ++i) {
      const ColumnPlace place(row, i, sketch.parts);
      const int level = kSketchLevel[band[place.number] >> place.shift & 0xf];
      const bool negative = band[place.sign] >> place.bit & 1;
      sum += (negative ? -level : level) * input.codes[i];
    }
    bounds[n] = BoundOf(input, *SketchFactsOf(band, sketch.parts), row, sum);
    if (bounds[n] > highest_bound) {
      highest_bound = bounds[n];
      highest = n;
    }
  }
  return highest;
}

}  // namespace litertlm
