#include "base/suggest.h"

#include <gtest/gtest.h>

namespace litertlm {
namespace {

TEST(EditDistance, CountsTheSmallestNumberOfChanges) {
  EXPECT_EQ(EditDistance("run", "run"), 0);
  EXPECT_EQ(EditDistance("rnu", "run"), 1);
  EXPECT_EQ(EditDistance("", "run"), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(DidYouMean, NamesOnlyWhatIsNear) {
  const std::vector<std::string> known = {"Qwen/Qwen3-0.6B", "tiny-qwen3", "tiny-gemma3"};
  EXPECT_EQ(DidYouMean("tiny-qwen", known), "Did you mean tiny-qwen3? ");
  EXPECT_EQ(DidYouMean("qwen/qwen3-0.6b", known), "Did you mean Qwen/Qwen3-0.6B? ");
  EXPECT_EQ(DidYouMean("llama", known), "");
}

}  // namespace
}  // namespace litertlm
