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

/// Where the number and the sign of a column lie in a row.
struct ColumnPlace {
  ColumnPlace(size_t column, size_t parts)
      : number(column / kSketchColumns * kSketchNumberBytes + column % kSketchNumberBytes),
        sign(parts * kSketchNumberBytes + column / kSketchColumns * kSketchSignBytes +
             column % kSketchSignBytes),
        shift(column % kSketchColumns < kSketchNumberBytes ? 0 : 4),
        bit(static_cast<int>(column % kSketchColumns / kSketchSignBytes)) {}
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

void PackSketchSigns(const int8_t* weights, uint8_t* signs) {
  for (size_t half = 0; half < kSketchSignBytes; half += sizeof(uint64_t)) {
    uint64_t packed = 0;
    for (size_t k = 0; k < kSketchColumns / kSketchSignBytes; ++k) {
      uint64_t eight;
      std::memcpy(&eight, weights + k * kSketchSignBytes + half, sizeof eight);
      packed |= (eight >> 7 & 0x0101010101010101u) << k;
    }
    std::memcpy(signs + half, &packed, sizeof packed);
  }
}

SketchRow DescribeRow(const SketchUnit& unit, float scale, float squares, float largest,
                      size_t columns) {
  SketchRow row{};
  const float size = std::fabs(scale);
  const float rounding = kStepMargin * unit.largest_weight;
  row.scale = scale * unit.unit;
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
  const SketchUnit unit = UnitOf(squares, largest, columns);
  squares = largest = 0;
  int32_t level_sum = 0;
  const size_t parts = SketchParts(columns);
  std::memset(codes, 0, parts * kSketchPartBytes);
  for (size_t i = 0; i < parts * kSketchColumns; ++i) {
    const bool inside = i < columns;
    const int number = inside ? NumberOf(weights[i], unit) : 0;
    const bool negative = inside ? weights[i] < 0 : i % 2 == 1;
    const int level = negative ? -kSketchLevel[number] : kSketchLevel[number];
    if (inside) measure(static_cast<float>(weights[i]) - static_cast<float>(level) * unit.unit);
    level_sum += level;
    const ColumnPlace place(i, parts);
    codes[place.number] |= static_cast<uint8_t>(number << place.shift);
    codes[place.sign] |= static_cast<uint8_t>(negative << place.bit);
  }
  *row = DescribeRow(unit, scale, squares, largest, columns);
  row->level_sum = level_sum;
}

size_t SketchBoundsScalar(const SketchView& sketch, const SketchInput& input, Range rows,
                          float* bounds) {
  size_t highest = rows.begin;
  float highest_bound = -std::numeric_limits<float>::infinity();
  for (size_t n = rows.begin; n < rows.end; ++n) {
    const uint8_t* codes = sketch.codes + n * sketch.parts * kSketchPartBytes;
    int32_t sum = 0;
    for (size_t i = 0; i < sketch.parts * kSketchColumns; ++i) {
      const ColumnPlace place(i, sketch.parts);
      const int level = kSketchLevel[codes[place.number] >> place.shift & 0xf];
      const bool negative = codes[place.sign] >> place.bit & 1;
      sum += (negative ? -level : level) * input.codes[i];
    }
    bounds[n] =
        BoundOf(input, sketch.rows[n], sum - input.coding.zero_point * sketch.rows[n].level_sum);
    if (bounds[n] > highest_bound) {
      highest_bound = bounds[n];
      highest = n;
    }
  }
  return highest;
}

}  // namespace litertlm
