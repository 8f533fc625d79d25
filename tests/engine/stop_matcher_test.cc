#include "engine/stop_matcher.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace litertlm {
namespace {

using Tokens = std::vector<int>;

TEST(Overlap, IsTheLongestEndThatBeginsThePattern) {
  EXPECT_EQ(Overlap<std::string>("xaba", "abab"), 3u);
  EXPECT_EQ(Overlap<std::string>("abab", "abab"), 2u);
  EXPECT_EQ(Overlap<std::string>("xyz", "abab"), 0u);
  EXPECT_EQ(Overlap<std::string>("a", ""), 0u);
}

TEST(StopMatcher, HoldsBackTheBeginningOfASequenceAndDropsTheSequence) {
  StopMatcher<Tokens> matcher({{7, 8, 9}});
  EXPECT_EQ(matcher.Push({1}), Tokens({1}));
  EXPECT_EQ(matcher.Push({7}), Tokens());
  EXPECT_EQ(matcher.Push({8}), Tokens());
  EXPECT_EQ(matcher.Push({9}), Tokens());
  EXPECT_TRUE(matcher.stopped());
  EXPECT_EQ(matcher.matched(), 3u);
  EXPECT_EQ(matcher.Push({1}), Tokens());
  EXPECT_EQ(matcher.Flush(), Tokens());
}

TEST(StopMatcher, ReleasesASequenceThatOnlyBegan) {
  StopMatcher<Tokens> matcher({{7, 8, 9}});
  matcher.Push({7});
  matcher.Push({8});
  EXPECT_EQ(matcher.Push({1}), Tokens({7, 8, 1}));
  EXPECT_FALSE(matcher.stopped());
}

TEST(StopMatcher, KeepsABeginningInsideABeginning) {
  // 7 7 8: the first 7 is not part of the match, the second is.
  StopMatcher<Tokens> matcher({{7, 8}});
  EXPECT_EQ(matcher.Push({7}), Tokens());
  EXPECT_EQ(matcher.Push({7}), Tokens({7}));
  EXPECT_EQ(matcher.Push({8}), Tokens());
  EXPECT_TRUE(matcher.stopped());
}

TEST(StopMatcher, TakesTheEarliestOfSeveral) {
  StopMatcher<std::string> matcher({"world", "lo, w"});
  EXPECT_EQ(matcher.Push("Hello, world"), "Hel");
  EXPECT_EQ(matcher.matched(), 5u);
}

TEST(StopMatcher, GivesBackWhatIsHeldWhenTheStreamEnds) {
  StopMatcher<std::string> matcher({"END", ""});
  EXPECT_EQ(matcher.Push("THE EN"), "THE ");
  EXPECT_EQ(matcher.Flush(), "EN");
}

// Whatever pieces a text comes in, the result is what searching the whole text gives.
TEST(StopMatcher, DoesNotDependOnThePieces) {
  const std::string text = "aabaabaaabab";
  for (const std::string stop : {"aab", "abab", "baaa", "zzz", "a"}) {
    for (size_t piece = 1; piece <= text.size(); ++piece) {
      StopMatcher<std::string> matcher({stop});
      std::string released;
      for (size_t i = 0; i < text.size(); i += piece)
        released += matcher.Push(text.substr(i, piece));
      released += matcher.Flush();
      EXPECT_EQ(released, text.substr(0, text.find(stop))) << stop << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace litertlm
