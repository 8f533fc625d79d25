// Every instruction set against the scalar definitions, and those against formulas written out
// anew.
#include "kernels/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "base/half.h"
#include "kernels/isa.h"
#include "kernels/kernel_table.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

TEST(Quantize, FollowsTheFormulaOfXnnpack) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  ThreadPool pool(1);
  for (const float shift : {0.0f, 5.0f, -5.0f, 0.3f}) {
    std::vector<float> x(301);
    for (float& value : x) value = normal(random) + shift;
    QuantizedRows coded;
    coded.Quantize(x.data(), 1, x.size(), x.size(), pool);

    const float low = std::min(0.0f, *std::min_element(x.begin(), x.end()));
    const float high = std::max(0.0f, *std::max_element(x.begin(), x.end()));
    const float inverse = 255.0f / (high - low);
    const double zero = (-128.0f + low * inverse) + (127.0f + high * inverse) > 0
                            ? -128.0f - low * inverse
                            : 127.0f - high * inverse;
    const int zero_point = static_cast<int>(std::clamp(std::nearbyint(zero), -128.0, 127.0));
    EXPECT_EQ(coded.codings()[0].zero_point, zero_point);
    EXPECT_EQ(coded.codings()[0].scale, 1.0f / inverse);
    int sum = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double code = std::nearbyint(static_cast<double>(x[i] * inverse)) + zero_point;
      ASSERT_EQ(coded.codes()[i], std::clamp(code, -128.0, 127.0)) << i;
      sum += coded.codes()[i];
    }
    EXPECT_EQ(coded.codings()[0].sum, sum);
    for (size_t i = x.size(); i < coded.stride(); ++i) ASSERT_EQ(coded.codes()[i], 0);
  }
}

}  // namespace
}  // namespace litertlm
