#include "base/utf8.h"

#include <gtest/gtest.h>

namespace litertlm {
namespace {

TEST(Utf8, EveryCodePointReturnsToItself) {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code == 0xD800) code = 0xE000;  // Surrogates have no UTF-8 form.
    std::string text;
    AppendUtf8(code, text);
    const Utf8Char c = DecodeUtf8(text, 0);
    ASSERT_TRUE(c.valid);
    ASSERT_EQ(c.code, code);
    ASSERT_EQ(c.length, text.size());
  }
}

// The examples of the Unicode standard, table 3-8 and 3-11.
TEST(Utf8, InvalidSequencesBecomeOneReplacementPerMaximalSubpart) {
  const std::string r(kReplacementUtf8);
  EXPECT_EQ(ReplaceInvalidUtf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(ReplaceInvalidUtf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), r + r + r + r + "A");
  EXPECT_EQ(ReplaceInvalidUtf8("\xED\xA0\x80\xED\xBF\xBF"), r + r + r + r + r + r);
  EXPECT_EQ(ReplaceInvalidUtf8("ok \xF0\x9F\x98\x80"), "ok \xF0\x9F\x98\x80");
}

TEST(Utf8, PrefixHoldsBackWhatMayStillBecomeACharacter) {
  const std::string smile = "\xF0\x9F\x98\x80";
  EXPECT_EQ(CompleteUtf8Prefix("ab" + smile), 6u);
  for (size_t n = 1; n < 4; ++n) EXPECT_EQ(CompleteUtf8Prefix("ab" + smile.substr(0, n)), 2u);
  EXPECT_EQ(CompleteUtf8Prefix("ab\xFF"), 3u);
  EXPECT_EQ(CompleteUtf8Prefix("ab\x80"), 3u);
  EXPECT_EQ(CompleteUtf8Prefix(""), 0u);
}

}  // namespace
}  // namespace litertlm
