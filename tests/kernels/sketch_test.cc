// Sketches of matrices: that bounds hold for each instruction set, and that the highest products
// are those of MatMulDynamic.
#include "kernels/sketch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "kernels/kernel_table.h"
#include "tests/kernels/every_isa.h"

namespace litertlm {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

/// Weights of 8 bits with a scale for each row.
struct Matrix {
  Matrix(size_t matrix_rows, size_t matrix_columns)
      : rows(matrix_rows), columns(matrix_columns), weights(rows * columns), scales(rows) {}

  WeightMatrix view() const {
    return {.dtype = DType::kI8,
            .data = weights.data(),
            .rows = rows,
            .columns = columns,
            .scales = scales.data(),
            .scale_count = rows};
  }

  size_t rows;
  size_t columns;
  std::vector<int8_t> weights;
  std::vector<float> scales;
};

/// Normally distributed rows, as those of models are, so that the largest weight is 127.
Matrix NormalMatrix(size_t rows, size_t columns, std::mt19937& random) {
  Matrix matrix(rows, columns);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> scale(0.001f, 0.002f);
  std::vector<float> row(columns);
  for (size_t n = 0; n < rows; ++n) {
    float largest = 0;
    for (float& w : row) {
      w = normal(random);
      largest = std::max(largest, std::fabs(w));
    }
    for (size_t i = 0; i < columns; ++i) {
      matrix.weights[n * columns + i] = static_cast<int8_t>(std::lround(row[i] / largest * 127));
    }
    matrix.scales[n] = scale(random);
  }
  return matrix;
}

/// Rows as no model has them: noise, one weight alone, extremes, nothing, odd scales.
Matrix OddMatrix(size_t rows, size_t columns, std::mt19937& random) {
  Matrix matrix(rows, columns);
  for (size_t n = 0; n < rows; ++n) {
    int8_t* row = matrix.weights.data() + n * columns;
    matrix.scales[n] = (n % 3 == 0 ? -0.5f : 0.01f) * static_cast<float>(n + 1);
    switch (n % 5) {
      case 0:
        for (size_t i = 0; i < columns; ++i) row[i] = static_cast<int8_t>(random());
        break;
      case 1:
        row[random() % columns] = -128;
        break;
      case 2:
        for (size_t i = 0; i < columns; ++i) row[i] = random() % 2 == 0 ? -128 : 127;
        break;
      case 3:
        for (size_t i = 0; i < columns; ++i) row[i] = static_cast<int8_t>(random() % 3 - 1);
        break;
      default:
        break;
    }
  }
  return matrix;
}

/// Activations; with outliers, a few are a hundred times larger than the others.
std::vector<float> Activations(size_t columns, bool outliers, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> x(columns);
  for (float& value : x) value = normal(random);
  for (int i = 0; outliers && i < 3; ++i) x[random() % columns] *= 100;
  return x;
}

QuantizedRows Coded(const std::vector<float>& x, ThreadPool& pool) {
  QuantizedRows coded;
  coded.Quantize(x.data(), 1, x.size(), x.size(), pool);
  return coded;
}

std::vector<float> AllProducts(const QuantizedRows& x, const Matrix& matrix, ThreadPool& pool) {
  std::vector<float> y(matrix.rows);
  MatMulDynamic(x, {.weights = matrix.view(), .y = y.data(), .y_stride = matrix.rows}, pool);
  return y;
}

class SketchKernels : public EveryIsa {
 protected:
  /// The level of a column; where it lies, once more in plain words.
  int LevelAt(size_t row, size_t column) const {
    const uint8_t* band = bands_.data() + row / 4 * BandBytes();
    const size_t part = column / 128;
    const size_t half = column % 128 / 64;
    const uint8_t byte = band[(row % 4 * parts_ + part) * 64 + column % 64];
    const int level = kSketchLevel[(half == 0 ? byte : byte >> 4) & 0xf];
    const uint8_t signs = band[(4 * parts_ + part) * 64 + column % 64];
    return (signs >> (row % 4 * 2 + half) & 1) != 0 ? -level : level;
  }

  size_t BandBytes() const { return (5 * parts_ + 1) * 64; }
  const SketchFacts& FactsOf(size_t row) const {
    return *SketchFactsOf(bands_.data() + row / 4 * BandBytes(), parts_);
  }

  /// Codes a matrix.
  void Code(const Matrix& matrix) {
    parts_ = (matrix.columns + kSketchColumns - 1) / kSketchColumns;
    bands_.assign((matrix.rows + 3) / 4 * BandBytes(), 0);
    for (size_t n = 0; n < matrix.rows; ++n) {
      table_.sketch_row(matrix.weights.data() + n * matrix.columns, matrix.columns,
                        matrix.scales[n], n % 4, bands_.data() + n / 4 * BandBytes());
    }
  }

  /// Checks what is known of each row.
  void CheckFacts(const Matrix& matrix) {
    for (size_t n = 0; n < matrix.rows; ++n) {
      const int8_t* weights = matrix.weights.data() + n * matrix.columns;
      const SketchFacts& facts = FactsOf(n);
      double squares = 0;
      int sum = 0;
      int ends = 0;
      for (size_t i = 0; i < parts_ * kSketchColumns; ++i) {
        const int level = LevelAt(n, i);
        sum += level;
        if (i + 1 == matrix.columns) ends = sum;
        if (i >= matrix.columns) continue;
        const double error = static_cast<double>(weights[i]) * matrix.scales[n] -
                             static_cast<double>(level) * facts.scale[n % 4];
        squares += error * error;
        ASSERT_LE(std::fabs(error), facts.largest_error[n % 4]);
      }
      ASSERT_EQ(sum, ends) << "levels behind the end of row " << n;
      ASSERT_EQ(facts.level_sum[n % 4], sum);
      ASSERT_LE(std::sqrt(squares), facts.error[n % 4]);
    }
  }

  std::vector<float> Bounds(const QuantizedRows& x, float outliers, float rest, size_t rows) {
    const SketchInput input{x.codes(), x.codings()[0], outliers, rest};
    std::vector<float> bounds(rows);
    const size_t highest =
        table_.sketch_bounds({bands_.data(), parts_}, input, {0, rows}, bounds.data());
    EXPECT_EQ(highest, static_cast<size_t>(std::ranges::max_element(bounds) - bounds.begin()));
    return bounds;
  }

  std::vector<uint8_t> bands_;
  size_t parts_ = 0;
};

TEST_P(SketchKernels, BoundsAreNotBelowProducts) {
  std::mt19937 random(1);
  ThreadPool pool(1);
  for (const size_t columns : {2, 4, 14, 64, 66, 126, 128, 130, 640, 1000, 4096}) {
    for (const bool outliers : {false, true}) {
      for (const Matrix& matrix :
           {NormalMatrix(31, columns, random), OddMatrix(31, columns, random)}) {
        Code(matrix);
        ASSERT_NO_FATAL_FAILURE(CheckFacts(matrix));
        const QuantizedRows x = Coded(Activations(columns, outliers, random), pool);
        double sum = 0;
        double squares = 0;
        for (size_t i = 0; i < columns; ++i) {
          const int value = x.codes()[i] - x.codings()[0].zero_point;
          sum += std::abs(value);
          squares += value * value;
        }
        const std::vector<float> exact = AllProducts(x, matrix, pool);
        const auto all = static_cast<float>(sum);
        const auto norm = static_cast<float>(std::sqrt(squares));
        const std::vector<float> by_largest = Bounds(x, all, 0, matrix.rows);
        const std::vector<float> by_norm = Bounds(x, 0, norm, matrix.rows);
        for (size_t n = 0; n < matrix.rows; ++n) {
          EXPECT_GE(by_largest[n], exact[n]) << columns << " columns, row " << n;
          EXPECT_GE(by_norm[n], exact[n]) << columns << " columns, row " << n;
          // Nor are they higher than by the formula.
          const SketchFacts& facts = FactsOf(n);
          const float scale = x.codings()[0].scale;
          const float room = 1e-4f * std::fabs(exact[n]) + 1e-6f;
          EXPECT_LE(by_largest[n],
                    exact[n] + 2.01f * scale * all * facts.largest_error[n % 4] + room);
          EXPECT_LE(by_norm[n], exact[n] + 2.01f * scale * norm * facts.error[n % 4] + room);
        }
      }
    }
  }
}

TEST_P(SketchKernels, RowsOfOddScalesAreNeverStruckOut) {
  Matrix matrix(4, 128);
  std::ranges::fill(matrix.weights, 1);
  matrix.scales = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                   1e-30f, 1e30f};
  ThreadPool pool(1);
  const QuantizedRows x = Coded(std::vector<float>(128, -1.0f), pool);
  Code(matrix);
  std::vector<float> bounds(4);
  table_.sketch_bounds({bands_.data(), parts_}, {x.codes(), x.codings()[0], 0, 1000}, {0, 4},
                       bounds.data());
  for (const float bound : bounds) EXPECT_FALSE(bound < std::numeric_limits<float>::max());
}

INSTANTIATE_FOR_EVERY_ISA(SketchKernels);

class MatMulHighestOf : public testing::TestWithParam<int> {
 protected:
  /// Checks the products of one row of activations; returns how many were computed.
  size_t Check(const Matrix& matrix, const std::vector<float>& activations, size_t rows,
               size_t best) {
    Sketch sketch(matrix.view());
    while (!sketch.complete()) sketch.CodeRows(100, pool_);
    const QuantizedRows x = Coded(activations, pool_);
    const std::vector<float> exact = AllProducts(x, matrix, pool_);
    std::vector<float> y(matrix.rows, 1e9f);
    const size_t computed =
        MatMulHighest(x, {.weights = matrix.view(), .y = y.data(), .y_stride = matrix.rows}, sketch,
                      rows, best, pool_);
    std::vector<float> sorted(exact.begin(), exact.begin() + static_cast<std::ptrdiff_t>(rows));
    std::ranges::sort(sorted, std::greater());
    size_t struck_out = 0;
    for (size_t n = 0; n < matrix.rows; ++n) {
      if (n < rows && exact[n] >= sorted[best - 1]) {
        EXPECT_EQ(y[n], exact[n]) << "row " << n;
      } else if (y[n] == kNone) {
        ++struck_out;
      } else {
        EXPECT_LT(n, rows);
        EXPECT_EQ(y[n], exact[n]) << "row " << n;
      }
    }
    EXPECT_EQ(struck_out, matrix.rows - computed);
    return computed;
  }

  ThreadPool pool_{GetParam()};
  std::mt19937 random_{2};
};

TEST_P(MatMulHighestOf, OfUsualWeightsFewAreComputed) {
  const Matrix matrix = NormalMatrix(20000, 640, random_);
  for (const bool outliers : {false, true}) {
    const std::vector<float> x = Activations(640, outliers, random_);
    EXPECT_LT(Check(matrix, x, 20000, 1), 4000u);
    EXPECT_LT(Check(matrix, x, 20000, 20), 8000u);
    EXPECT_LT(Check(matrix, x, 19001, 64), 10000u);
  }
}

TEST_P(MatMulHighestOf, OfOddWeights) {
  for (const size_t columns : {2, 100, 128, 200}) {
    const Matrix matrix = OddMatrix(1111, columns, random_);
    for (const size_t best : {1, 7, 100, 1000}) {
      for (const size_t rows : {1000, 1111}) {
        Check(matrix, Activations(columns, best == 7, random_), rows, best);
      }
    }
  }
}

TEST_P(MatMulHighestOf, EqualOnesAreAllThere) {
  Matrix matrix(300, 128);
  std::ranges::fill(matrix.weights, 3);
  std::ranges::fill(matrix.scales, 0.25f);
  EXPECT_EQ(Check(matrix, Activations(128, false, random_), 300, 1), 300u);
  EXPECT_EQ(Check(matrix, std::vector<float>(128, 0.0f), 300, 5), 300u);
}

INSTANTIATE_TEST_SUITE_P(Threads, MatMulHighestOf, testing::Values(1, 2, 3));

TEST(Sketch, IsOnlyOfMatricesWithAScaleForEachRow) {
  const Matrix matrix(10, 16);
  WeightMatrix w = matrix.view();
  EXPECT_TRUE(Sketch::IsPossible(w));
  w.scale_count = 1;
  EXPECT_FALSE(Sketch::IsPossible(w));
  w = matrix.view();
  w.dtype = DType::kI4;
  EXPECT_FALSE(Sketch::IsPossible(w));
  w = matrix.view();
  w.columns = kMaxDynamicColumns + 2;
  EXPECT_FALSE(Sketch::IsPossible(w));
  w.columns = 15;
  EXPECT_FALSE(Sketch::IsPossible(w));
}

}  // namespace
}  // namespace litertlm
