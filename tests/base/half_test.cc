#include "base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace litertlm {
namespace {

TEST(Half, EveryF16ReturnsToItself) {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const float f = F16ToFloat(static_cast<uint16_t>(h));
    if (std::isnan(f)) {
      EXPECT_TRUE(std::isnan(F16ToFloat(FloatToF16(f))));
    } else {
      ASSERT_EQ(FloatToF16(f), h);
    }
  }
}

TEST(Half, F16AgreesWithTheCompilersConversion) {
  // Steps through floats of every exponent, with low bits that hit ties.
  for (uint64_t bits = 0; bits < 0x7f800000u; bits += 0x7ff) {
    const float f = std::bit_cast<float>(static_cast<uint32_t>(bits));
    const auto expected = std::bit_cast<uint16_t>(static_cast<_Float16>(f));
    ASSERT_EQ(FloatToF16(f), expected) << f;
    ASSERT_EQ(FloatToF16(-f), expected | 0x8000u) << -f;
  }
}

TEST(Half, BF16RoundsTiesToEven) {
  EXPECT_EQ(FloatToBF16(1.0f), 0x3f80);
  EXPECT_EQ(FloatToBF16(std::bit_cast<float>(0x3f808000u)), 0x3f80);
  EXPECT_EQ(FloatToBF16(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_TRUE(std::isnan(BF16ToFloat(FloatToBF16(std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace
}  // namespace litertlm
