// Row kernels of every instruction set against the scalar definitions in double precision or as
// they are.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/half.h"
#include "kernels/kernel_table.h"
#include "tests/kernels/every_isa.h"

namespace litertlm {
namespace {

constexpr size_t kCounts[] = {1, 7, 8, 15, 16, 17, 33, 64, 301, 1024};

class Rows : public EveryIsa {
 protected:
  std::vector<float> Random(size_t count, float deviation = 1.0f) {
    std::normal_distribution<float> normal(0.0f, deviation);
    std::vector<float> x(count);
    for (float& value : x) value = normal(random_);
    return x;
  }
  std::mt19937 random_{11};
};
INSTANTIATE_FOR_EVERY_ISA(Rows);

/// Near in units of the last place, or as good as zero.
void ExpectClose(float actual, double expected, double units, const std::string& what) {
  const double tolerance =
      units * std::numeric_limits<float>::epsilon() * std::abs(expected) + 1e-37;
  ASSERT_NEAR(actual, expected, tolerance) << what;
}

TEST_P(Rows, Add) {
  for (const size_t count : kCounts) {
    const std::vector<float> a = Random(count);
    std::vector<float> y = Random(count);
    const std::vector<float> b = y;
    table_.add(a.data(), y.data(), y.data(), count);
    for (size_t i = 0; i < count; ++i) ASSERT_EQ(y[i], a[i] + b[i]);
  }
}

TEST_P(Rows, CodesOfCachesAreThoseOfTheDefinition) {
  const KernelTable& scalar = KernelsNamed("scalar");
  for (const size_t count : kCounts) {
    for (const float deviation : {0.0f, 1e-38f, 1e-3f, 1.0f, 1e37f}) {
      const std::vector<float> x =
          deviation == 0 ? std::vector<float>(count) : Random(count, deviation);
      std::vector<int8_t> y(count + sizeof(float) + 1, 77);
      std::vector<int8_t> expected = y;
      table_.to_i8(x.data(), y.data(), count);
      scalar.to_i8(x.data(), expected.data(), count);
      ASSERT_EQ(y, expected) << count << " numbers of deviation " << deviation;
      float scale = 0;
      std::memcpy(&scale, &y[count], sizeof(scale));
      for (size_t i = 0; i < count; ++i) {
        ASSERT_NEAR(static_cast<float>(y[i]) * scale, x[i], 0.5001f * scale + 1e-30f);
      }
    }
  }
}

TEST_P(Rows, HalvesAreThoseOfTheDefinition) {
  std::vector<float> x = Random(301, 100.0f);
  for (const float special :
       {0.0f, -0.0f, 1e-8f, 6.1e-5f, -65519.0f, 65520.0f, 1e30f, 1 + 0x1p-11f, 1 + 3 * 0x1p-11f}) {
    x.push_back(special);
  }
  for (const size_t count : {size_t{1}, size_t{15}, size_t{33}, x.size()}) {
    std::vector<uint16_t> y(count + 1, 0xabcd);
    table_.to_f16(x.data(), y.data(), count);
    for (size_t i = 0; i < count; ++i) ASSERT_EQ(y[i], FloatToF16(x[i])) << x[i];
    EXPECT_EQ(y[count], 0xabcd);
  }
}

TEST_P(Rows, RmsNormIsRightInDoublePrecision) {
  for (const size_t count : kCounts) {
    const std::vector<float> x = Random(count, 3.0f);
    const std::vector<float> gains = Random(count);
    std::vector<float> y(count + 1, 7.0f);
    table_.rms_norm(x.data(), gains.data(), y.data(), count, 1e-6f);
    double squares = 0;
    for (const float value : x) squares += double{value} * value;
    const double factor = 1 / std::sqrt(squares / static_cast<double>(count) + 1e-6);
    for (size_t i = 0; i < count; ++i) {
      ExpectClose(y[i], x[i] * factor * gains[i], 8, fmt::format("{} of {}", i, count));
    }
    ASSERT_EQ(y[count], 7.0f);
  }
}

TEST_P(Rows, SoftmaxIsRightInDoublePrecision) {
  for (const size_t count : kCounts) {
    std::vector<float> y = Random(count, 20.0f);
    if (count > 16) y[3] = -std::numeric_limits<float>::infinity();
    const std::vector<float> x = y;
    table_.softmax(y.data(), y.data(), count, 0.7f);
    const float highest = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (const float value : x) sum += std::exp(double{0.7f} * (value - highest));
    for (size_t i = 0; i < count; ++i) {
      const double expected = std::exp(double{0.7f} * (x[i] - highest)) / sum;
      ASSERT_NEAR(y[i], expected, 4e-6 * expected + 1e-37) << i << " of " << count;
    }
  }
}

TEST_P(Rows, GatesAreRightInDoublePrecision) {
  std::vector<float> gate = Random(997, 4.0f);
  for (const float extreme : {0.0f, 30.0f, -30.0f, 100.0f, -100.0f, 1e30f, -1e30f, 1e-20f}) {
    gate.push_back(extreme);
  }
  const std::vector<float> up = Random(gate.size());
  std::vector<float> silu(gate.size());
  std::vector<float> gelu(gate.size());
  table_.silu_mul(gate.data(), up.data(), silu.data(), gate.size());
  table_.gelu_tanh_mul(gate.data(), up.data(), gelu.data(), gate.size());
  for (size_t i = 0; i < gate.size(); ++i) {
    const double g = gate[i];
    const std::string what = fmt::format("gate {}", gate[i]);
    // Far below zero the result is tiny, and its exponent is known only as well as the argument.
    const double tiny = 1e-6 * std::abs(up[i]);
    ASSERT_NEAR(silu[i], g / (1 + std::exp(-g)) * up[i], 1e-6 * std::abs(g * up[i]) + tiny) << what;
    const double inner = 0.7978845608028654 * (g + 0.044715 * g * g * g);
    ASSERT_NEAR(gelu[i], 0.5 * g * (1 + std::tanh(inner)) * up[i],
                1e-6 * std::abs(g * up[i]) + tiny)
        << what;
  }
}

// In place, as programs turn heads; and with the bits that the norm by itself has.
TEST_P(Rows, RopeRotatesPairsHalfAHeadApart) {
  constexpr size_t kRow = 2;
  for (const size_t half : {1, 4, 8, 16, 20, 64}) {
    for (const size_t width : {half, 2 * half}) {
      for (const bool norm : {false, true}) {
        const std::vector<float> gains = Random(2 * half);
        std::vector<float> y = Random(2 * half);
        std::vector<float> x = y;
        if (norm) table_.rms_norm(x.data(), gains.data(), x.data(), 2 * half, 1e-3f);
        std::vector<float> cos(kRow * width, std::nanf(""));
        std::vector<float> sin = cos;
        for (size_t i = 0; i < width; ++i) {
          cos.push_back(std::cos(0.3f * static_cast<float>(i)));
          sin.push_back(std::sin(0.3f * static_cast<float>(i)));
        }
        const Rotation rotation{cos.data(), sin.data(), width, norm ? gains.data() : nullptr,
                                1e-3f};
        table_.rope(rotation, kRow, y.data(), y.data(), 2 * half);
        const float* c = &cos[kRow * width];
        const float* s = &sin[kRow * width];
        for (size_t i = 0; i < half; ++i) {
          ASSERT_EQ(y[i], x[i] * c[i] - x[half + i] * s[i]);
          ASSERT_EQ(y[half + i], x[half + i] * c[i] + x[i] * s[i]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace litertlm
