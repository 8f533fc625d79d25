#include "base/units.h"

#include <gtest/gtest.h>

namespace litertlm {
namespace {

TEST(Format, GivesNumbersAPersonCanRead) {
  EXPECT_EQ(FormatBytes(999), "999 bytes");
  EXPECT_EQ(FormatBytes(1500), "1.5 kB");
  EXPECT_EQ(FormatBytes(604600000), "604.6 MB");
  EXPECT_EQ(FormatBytes(999960000), "1.00 GB");
  EXPECT_EQ(FormatBytes(4020000000), "4.02 GB");
  EXPECT_EQ(FormatSeconds(0.84), "0.8 s");
  EXPECT_EQ(FormatSeconds(125.4), "2 min 5 s");
}

}  // namespace
}  // namespace litertlm
