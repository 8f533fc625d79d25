// Every instruction set against the scalar definitions, and those against formulas written out
// anew.
#include "kernels/matmul.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/half.h"
#include "kernels/kernel_table.h"
#include "litertlm/error.h"
#include "tests/kernels/every_isa.h"

namespace litertlm {
namespace {

/// Random weights of a type, at an address that is no multiple of a vector's size.
struct Weights {
  WeightMatrix matrix;
  std::vector<uint8_t> data;
  std::vector<float> scales;
  std::vector<uint16_t> block_scales;

  Weights(DType dtype, size_t rows, size_t columns, size_t block, std::mt19937& random) {
    constexpr size_t kOffset = 4;  // What is allocated is aligned to 16.
    const size_t bytes = BytesFor(dtype, rows * columns);
    data.resize(bytes + kOffset);
    uint8_t* first = data.data() + kOffset;
    matrix = {.dtype = dtype, .data = first, .rows = rows, .columns = columns, .block = block};
    if (Info(dtype).bits <= 8) {
      for (size_t i = 0; i < bytes; ++i) first[i] = static_cast<uint8_t>(random());
      FillScales(random);
    } else {
      FillFloats(first, random);
    }
  }
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

 private:
  void FillScales(std::mt19937& random) {
    std::uniform_real_distribution<float> uniform(0.001f, 0.01f);
    if (matrix.block == 0) {
      scales.resize(random() % 4 == 0 ? 1 : matrix.rows);
      for (float& scale : scales) scale = uniform(random);
      matrix.scales = scales.data();
      matrix.scale_count = scales.size();
    } else {
      block_scales.resize(matrix.rows * (matrix.columns / matrix.block));
      for (uint16_t& scale : block_scales) scale = FloatToF16(uniform(random));
      matrix.block_scales = block_scales.data();
    }
  }

  void FillFloats(uint8_t* first, std::mt19937& random) {
    std::normal_distribution<float> normal;
    for (size_t i = 0; i < matrix.rows * matrix.columns; ++i) {
      const float value = normal(random);
      const uint16_t half = matrix.dtype == DType::kF16 ? FloatToF16(value) : FloatToBF16(value);
      if (matrix.dtype == DType::kF32) {
        std::memcpy(first + 4 * i, &value, 4);
      } else {
        std::memcpy(first + 2 * i, &half, 2);
      }
    }
  }
};

std::vector<float> RandomRows(size_t count, std::mt19937& random) {
  std::normal_distribution<float> normal(0.1f, 1.0f);
  std::vector<float> x(count);
  for (float& value : x) value = normal(random);
  return x;
}

struct Shape {
  size_t m, n, k;
};

const Shape kShapes[] = {{1, 1, 1},    {1, 3, 64},    {1, 70, 130},  {2, 33, 66},  {3, 5, 300},
                         {4, 19, 192}, {5, 32, 64},   {6, 1, 2},     {7, 65, 258}, {12, 64, 512},
                         {13, 40, 62}, {29, 47, 320}, {64, 33, 128}, {25, 16, 640}};

class MatMulKernels : public EveryIsa {
 protected:
  std::mt19937 random_{7};
};
INSTANTIATE_FOR_EVERY_ISA(MatMulKernels);

/// Coded activations with the codes and coding of any file: also 0, 255 and every zero point.
struct Coded {
  std::vector<uint8_t> codes;
  std::vector<RowCoding> codings;
  size_t stride;

  Coded(size_t rows, size_t columns, std::mt19937& random) : stride((columns + 63) / 64 * 64) {
    codes.resize(rows * stride);
    for (size_t row = 0; row < rows; ++row) {
      for (size_t i = 0; i < columns; ++i) codes[row * stride + i] = static_cast<uint8_t>(random());
      const int zero_point = row == 0 ? 0 : row == 1 ? 255 : static_cast<int>(random() % 256);
      codings.push_back({0.01f * static_cast<float>(row + 1), zero_point});
    }
    std::fill_n(codes.begin(), columns, random() % 2 ? 255 : 0);
  }
};

/// Memory for a panel, aligned as the pool's is.
class PanelScratch {
 public:
  explicit PanelScratch(const Panel& panel) : bytes_(panel.bytes + kAlignment) {}
  std::byte* get() {
    return bytes_.data() + kAlignment - reinterpret_cast<uintptr_t>(bytes_.data()) % kAlignment;
  }

 private:
  static constexpr size_t kAlignment = 64;
  std::vector<std::byte> bytes_;
};

std::vector<float> RunDynamic(const KernelTable& table, const Coded& x, const Weights& weights,
                              const float* bias, size_t rows) {
  const WeightMatrix& w = weights.matrix;
  const size_t stride = w.rows + 3;
  std::vector<float> y(rows * stride, -1.0f);  // What lies between the rows must stay.
  PanelScratch scratch(table.dynamic_panel(w));
  table.dynamic({rows, x.codes.data(), x.stride, x.codings.data(), w, bias, y.data(), stride},
                {0, rows}, {0, w.rows}, {scratch.get()});
  return y;
}

/// The same in parts of the rows, one panel after the other, as the threads of a loop take them.
std::vector<float> RunDynamicInParts(const KernelTable& table, const Coded& x,
                                     const Weights& weights, size_t rows, size_t part) {
  const WeightMatrix& w = weights.matrix;
  const Panel panel = table.dynamic_panel(w);
  std::vector<float> y(rows * w.rows, -1.0f);
  PanelScratch scratch(panel);
  for (size_t n = 0; n < w.rows; n += panel.outputs) {
    const Range outputs{n, std::min(w.rows, n + panel.outputs)};
    for (size_t row = 0; row < rows; row += part) {
      table.dynamic(
          {rows, x.codes.data(), x.stride, x.codings.data(), w, nullptr, y.data(), w.rows},
          {row, std::min(rows, row + part)}, outputs, {scratch.get(), panel.stays && row > 0});
    }
  }
  return y;
}

std::vector<float> RunFloating(const KernelTable& table, FloatArgs args, size_t rows) {
  std::vector<float> y(rows * args.y_stride, -1.0f);
  PanelScratch scratch(table.floating_panel(args.w));
  args.y = y.data();
  table.floating(args, {0, rows}, {0, args.w.rows}, {scratch.get()});
  return y;
}

TEST_P(MatMulKernels, APackedPanelServesOtherRows) {
  constexpr size_t kRows = 96;
  constexpr size_t kPart = 48;
  const struct {
    DType dtype;
    size_t n, k, block;
  } cases[] = {{DType::kI8, 300, 320, 0}, {DType::kI8, 129, 33, 0},   {DType::kI4, 300, 320, 0},
               {DType::kI2, 130, 64, 0},  {DType::kI4, 300, 320, 32}, {DType::kI4, 70, 256, 128}};
  for (const auto& c : cases) {
    const Weights w(c.dtype, c.n, c.k, c.block, random_);
    const Coded x(kRows, c.k, random_);
    const std::vector<float> parts = RunDynamicInParts(table_, x, w, kRows, kPart);
    const std::vector<float> whole = RunDynamicInParts(table_, x, w, kRows, kRows);
    ASSERT_EQ(parts, whole) << Info(c.dtype).name << " " << c.n << " x " << c.k;
  }
}

TEST_P(MatMulKernels, DynamicPerChannelEqualsScalarBitForBit) {
  for (const DType dtype : {DType::kI8, DType::kI4, DType::kI2}) {
    for (const Shape& shape : kShapes) {
      const Weights w(dtype, shape.n, shape.k, 0, random_);
      const Coded x(shape.m, shape.k, random_);
      const std::vector<float> bias = RandomRows(shape.n, random_);
      const float* added = random_() % 2 ? bias.data() : nullptr;
      ASSERT_EQ(RunDynamic(table_, x, w, added, shape.m), RunDynamic(scalar_, x, w, added, shape.m))
          << Info(dtype).name << " " << shape.m << " x " << shape.n << " x " << shape.k;
    }
  }
}

/// Sums of many roundings: near if the difference is small beside what was added up.
void ExpectNear(const std::vector<float>& actual, const std::vector<float>& expected,
                float tolerance, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], tolerance) << what << ", element " << i;
  }
}

TEST_P(MatMulKernels, DynamicBlockwiseEqualsScalar) {
  struct Blockwise {
    size_t m, n, k, block;
  };
  for (const auto& [m, n, k, block] : {Blockwise{1, 7, 32, 32},
                                       {1, 33, 1024, 32},
                                       {2, 9, 96, 32},
                                       {3, 20, 128, 64},
                                       {4, 17, 640, 128},
                                       {1, 5, 1024, 256},
                                       {1, 6, 3072, 1024},
                                       {2, 9, 928, 32},
                                       {3, 5, 1280, 256},
                                       {2, 3, 192, 96},
                                       {5, 35, 64, 32},
                                       {13, 32, 288, 32},
                                       {20, 40, 640, 128},
                                       {7, 3, 192, 96}}) {
    for (const DType dtype : {DType::kI2, DType::kI4, DType::kI8}) {
      const Weights w(dtype, n, k, block, random_);
      const Coded x(m, k, random_);
      const std::vector<float> bias = RandomRows(n, random_);
      // A sum of a thousand products of up to 255 * 128 * 0.01 * 0.01 each.
      ExpectNear(RunDynamic(table_, x, w, bias.data(), m),
                 RunDynamic(scalar_, x, w, bias.data(), m), dtype == DType::kI8 ? 4e-2f : 2e-3f,
                 fmt::format("{} {} x {} x {} / {}", Info(dtype).name, m, n, k, block));
    }
  }
}

TEST_P(MatMulKernels, FloatEqualsScalar) {
  for (const DType dtype :
       {DType::kF32, DType::kF16, DType::kBF16, DType::kI8, DType::kI4, DType::kI2}) {
    for (const Shape& shape : kShapes) {
      for (const size_t block : {size_t{0}, size_t{32}}) {
        if (block != 0 && (Info(dtype).bits > 8 || shape.k % block != 0)) continue;
        const Weights w(dtype, shape.n, shape.k, block, random_);
        const std::vector<float> x = RandomRows(shape.m * (shape.k + 5), random_);
        const std::vector<float> bias = RandomRows(shape.n, random_);
        const FloatArgs args{x.data(), shape.k + 5, w.matrix, bias.data(), nullptr, shape.n + 3};
        ExpectNear(RunFloating(table_, args, shape.m), RunFloating(scalar_, args, shape.m), 2e-4f,
                   fmt::format("{} {} x {} x {}", Info(dtype).name, shape.m, shape.n, shape.k));
      }
    }
  }
}

TEST_P(MatMulKernels, StreamedRowsEqualScalar) {
  for (size_t m = 1; m <= table_.streaming_rows; m += 1 + m / 4) {
    for (const size_t n : {1, 6, 34, 73}) {
      for (const size_t k : {size_t{1}, size_t{130}, size_t{192}, size_t{1024}}) {
        for (const size_t block : {0, 32, 96}) {
          if (block != 0 && k % block != 0) continue;
          const std::string what = fmt::format("{} x {} x {} / {}", m, n, k, block);
          const std::vector<float> bias = RandomRows(n, random_);
          const Coded coded(m, k, random_);
          const std::vector<float> x = RandomRows(m * k, random_);
          for (const DType dtype : {DType::kI8, DType::kI4, DType::kF16, DType::kF32}) {
            if (Info(dtype).bits > 8 && block != 0) continue;
            const Weights w(dtype, n, k, block, random_);
            if (Info(dtype).bits <= 8) {
              // Sums without blocks are exact; in blocks see DynamicBlockwiseEqualsScalar.
              const float tolerance = block == 0 ? 0 : dtype == DType::kI8 ? 4e-2f : 2e-3f;
              ExpectNear(RunDynamic(table_, coded, w, bias.data(), m),
                         RunDynamic(scalar_, coded, w, bias.data(), m), tolerance,
                         fmt::format("{} {}", Info(dtype).name, what));
            }
            const FloatArgs args{x.data(), k, w.matrix, bias.data(), nullptr, n};
            ExpectNear(RunFloating(table_, args, m), RunFloating(scalar_, args, m), 2e-4f,
                       fmt::format("{} {}", Info(dtype).name, what));
          }
        }
      }
    }
  }
}

TEST_P(MatMulKernels, EveryHalfIsWidenedExactly) {
  std::vector<uint16_t> halves(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  const WeightMatrix w{
      .dtype = DType::kF16, .data = halves.data(), .rows = halves.size(), .columns = 1};
  const float one = 1;
  const auto y = RunFloating(table_, {&one, 1, w, nullptr, nullptr, halves.size()}, 1);
  for (size_t i = 0; i < halves.size(); ++i) {
    const float expected = F16ToFloat(halves[i]);
    ASSERT_TRUE(y[i] == expected || (std::isnan(y[i]) && std::isnan(expected)))
        << fmt::format("{:#06x} is {}, not {}", i, expected, y[i]);
  }
}

TEST_P(MatMulKernels, LongFloatRowsAreAddedUpInParts) {
  const Weights w(DType::kF32, 19, 1500, 0, random_);
  const std::vector<float> x = RandomRows(size_t{14} * 1500, random_);
  const FloatArgs args{x.data(), 1500, w.matrix, nullptr, nullptr, 19};
  ExpectNear(RunFloating(table_, args, 14), RunFloating(scalar_, args, 14), 1e-3f,
             "14 x 19 x 1500");
}

TEST_P(MatMulKernels, ExtremeProductsDoNotSaturate) {
  for (const size_t rows : {1, 6}) {
    Weights w(DType::kI8, 20, 1024, 0, random_);
    std::fill(w.data.begin(), w.data.end(), 0x80);  // -128
    Coded x(rows, 1024, random_);
    std::fill(x.codes.begin(), x.codes.end(), 255);
    EXPECT_EQ(RunDynamic(table_, x, w, nullptr, rows), RunDynamic(scalar_, x, w, nullptr, rows));
  }
}

TEST_P(MatMulKernels, QuantizeRowEqualsScalarBitForBit) {
  for (const size_t columns : {1, 15, 16, 17, 64, 301, 1024}) {
    for (const float shift : {0.0f, 3.0f, -3.0f, 1e30f}) {
      std::vector<float> x = RandomRows(columns, random_);
      for (float& value : x) value = shift == 1e30f ? 0.0f : value + shift;
      if (columns == 64) x[5] = std::nanf("");
      std::vector<uint8_t> expected(columns);
      std::vector<uint8_t> codes(columns);
      RowCoding expected_coding;
      RowCoding coding;
      scalar_.quantize_row(x.data(), columns, expected.data(), &expected_coding);
      table_.quantize_row(x.data(), columns, codes.data(), &coding);
      ASSERT_EQ(codes, expected) << columns << " values around " << shift;
      ASSERT_EQ(coding.scale, expected_coding.scale);
      ASSERT_EQ(coding.zero_point, expected_coding.zero_point);
    }
  }
}

TEST(Quantize, FollowsTheFormulaOfXnnpack) {
  std::mt19937 random(1);
  ThreadPool pool(1);
  for (const float shift : {0.0f, 5.0f, -5.0f, 0.3f}) {
    std::vector<float> x = RandomRows(301, random);
    for (float& value : x) value += shift;
    QuantizedRows coded;
    coded.Quantize(x.data(), 1, x.size(), x.size(), pool);

    const float low = std::min(0.0f, *std::min_element(x.begin(), x.end()));
    const float high = std::max(0.0f, *std::max_element(x.begin(), x.end()));
    const float inverse = 255.0f / (high - low);
    const double zero = (-128.0f + low * inverse) + (127.0f + high * inverse) > 0
                            ? -128.0f - low * inverse
                            : 127.0f - high * inverse;
    const int zero_point = static_cast<int>(std::clamp(std::nearbyint(zero), -128.0, 127.0));
    EXPECT_EQ(coded.codings()[0].zero_point, zero_point + 128);
    EXPECT_EQ(coded.codings()[0].scale, 1.0f / inverse);
    for (size_t i = 0; i < x.size(); ++i) {
      const double code = std::nearbyint(static_cast<double>(x[i] * inverse)) + zero_point;
      ASSERT_EQ(coded.codes()[i], std::clamp(code, -128.0, 127.0) + 128) << i;
    }
    for (size_t i = x.size(); i < coded.stride(); ++i) ASSERT_EQ(coded.codes()[i], 0);
  }
}

TEST(MatMul, SplitsWorkOverThreadsAndProducts) {
  std::mt19937 random(3);
  ThreadPool pool(3);
  for (const size_t rows : {1, 4, 5, 47, 73, 200, 503}) {
    const Weights first(DType::kI8, 1500, 256, 0, random);
    const Weights second(DType::kI4, 33, 256, 0, random);
    const std::vector<float> x = RandomRows(rows * 256, random);
    QuantizedRows coded;
    coded.Quantize(x.data(), rows, 256, 256, pool);
    std::vector<float> y(rows * 1533, -1.0f);
    const Product products[] = {{first.matrix, nullptr, y.data(), 1533},
                                {second.matrix, nullptr, y.data() + 1500, 1533}};
    ReadWeightsWhileWaiting(rows, products, pool);
    // Threads ask for what is written next, and leave it as it is.
    std::vector<std::byte> next(rows * 37, std::byte{0x5a});
    MatMulDynamic(coded, products, pool, next);
    EXPECT_EQ(next, std::vector<std::byte>(rows * 37, std::byte{0x5a}));
    std::vector<float> expected(rows * 1533);
    const KernelTable& scalar = KernelsNamed("scalar");
    for (const Product& p : products) {
      float* out = expected.data() + (p.y - y.data());
      std::vector<std::byte> scratch(scalar.dynamic_panel(p.weights).bytes);
      scalar.dynamic(
          {rows, coded.codes(), coded.stride(), coded.codings(), p.weights, nullptr, out, 1533},
          {0, rows}, {0, p.weights.rows}, {scratch.data()});
    }
    ASSERT_EQ(y, expected) << rows << " rows";
  }
}

TEST(MatMul, RefusesWhatItCannotMultiply) {
  ThreadPool pool(1);
  const std::vector<float> x(64, 1.0f);
  QuantizedRows coded;
  coded.Quantize(x.data(), 1, 64, 64, pool);
  float y = 0;
  const WeightMatrix floats{.dtype = DType::kF32, .data = x.data(), .rows = 1, .columns = 64};
  EXPECT_THROW(MatMulDynamic(coded, {floats, nullptr, &y, 1}, pool), Error);
  const WeightMatrix shorter{.dtype = DType::kI8, .data = x.data(), .rows = 1, .columns = 32};
  EXPECT_THROW(MatMulDynamic(coded, {shorter, nullptr, &y, 1}, pool), Error);
}

TEST(KernelTable, AnUnknownNameIsAnErrorThatListsThePossibleOnes) {
  try {
    KernelsNamed("z80");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.message(), testing::HasSubstr("'z80'"));
    EXPECT_THAT(error.hint(), testing::HasSubstr("scalar"));
  }
}

}  // namespace
}  // namespace litertlm
