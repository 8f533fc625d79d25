#include "engine/thought_splitter.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace litertlm {
namespace {

struct Split {
  std::string thought;
  std::string reply;
  bool operator==(const Split&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Split& split) {
  return out << "thought '" << split.thought << "', reply '" << split.reply << "'";
}

// In pieces of every size the result must be the same.
Split SplitText(const std::string& text, const ThoughtMarkers& markers = {"<think>", "</think>"}) {
  Split first;
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    Split split;
    ThoughtSplitter splitter(markers, [&](const TextChunk& chunk) {
      EXPECT_FALSE(chunk.text.empty());
      (chunk.thought ? split.thought : split.reply) += chunk.text;
    });
    for (size_t i = 0; i < text.size(); i += piece) splitter.Push(text.substr(i, piece));
    splitter.Flush();
    if (piece == 1) first = split;
    EXPECT_EQ(split, first) << "pieces of " << piece;
  }
  return first;
}

TEST(ThoughtSplitter, TellsThoughtFromReply) {
  EXPECT_EQ(SplitText("<think>\nI know\nthat.\n</think>\n\nParis.\n"),
            (Split{"I know\nthat.", "Paris.\n"}));
}

TEST(ThoughtSplitter, LeavesAReplyWithoutThoughtAlone) {
  EXPECT_EQ(SplitText(" Paris <think> is it.\n"), (Split{"", " Paris <think> is it.\n"}));
  EXPECT_EQ(SplitText("<thin"), (Split{"", "<thin"}));
  EXPECT_EQ(SplitText(" \n"), (Split{"", " \n"}));
}

TEST(ThoughtSplitter, DropsAnEmptyThought) {
  EXPECT_EQ(SplitText("<think>\n\n</think>\n\nParis."), (Split{"", "Paris."}));
}

TEST(ThoughtSplitter, KeepsAnUnfinishedThought) {
  EXPECT_EQ(SplitText("<think>\nI wonder </th"), (Split{"I wonder </th", ""}));
  EXPECT_EQ(SplitText("\n<think>"), (Split{"", ""}));
}

TEST(ThoughtSplitter, KeepsSpaceInsideAThought) {
  EXPECT_EQ(SplitText("<think>a \n\n b</think>c"), (Split{"a \n\n b", "c"}));
}

TEST(ThoughtSplitter, WithoutMarkersEverythingIsReply) {
  EXPECT_EQ(SplitText("<think>a</think>b", {}), (Split{"", "<think>a</think>b"}));
}

}  // namespace
}  // namespace litertlm
