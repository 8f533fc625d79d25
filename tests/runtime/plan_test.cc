#include "runtime/plan.h"

#include <gtest/gtest.h>

#include <random>

#include "runtime/arena_layout.h"

namespace litertlm {
namespace {

using Place = Location::Place;

TEST(ArenaLayout, BlocksInUseNeverOverlap) {
  std::mt19937 random(3);
  ArenaLayout layout;
  std::vector<std::pair<uint64_t, uint64_t>> used;  // Offset and size.
  uint64_t in_use = 0;
  uint64_t most = 0;
  for (int step = 0; step < 5000; ++step) {
    if (used.empty() || random() % 2 == 0) {
      const uint64_t bytes = 64 * (1 + random() % 20);
      const uint64_t offset = layout.Allocate(bytes);
      for (const auto& [other, size] : used) {
        ASSERT_TRUE(offset + bytes <= other || other + size <= offset);
      }
      used.emplace_back(offset, bytes);
      in_use += bytes;
    } else {
      const size_t i = random() % used.size();
      layout.Release(used[i].first, used[i].second);
      in_use -= used[i].second;
      used.erase(used.begin() + static_cast<long>(i));
    }
    most = std::max(most, in_use);
    ASSERT_GE(layout.size(), most);
  }
  EXPECT_LE(layout.size(), 3 * most) << "freed memory is used again";
}

/// A graph on vectors of 16 floats.
class Builder {
 public:
  Builder() { graph_.name = "test"; }

  ValueId Value() {
    litertlm::Value value;
    value.shape = {16};
    return graph_.AddValue(value);
  }
  ValueId Input() {
    const ValueId id = Value();
    graph_.inputs.push_back({"in" + std::to_string(graph_.inputs.size()), id});
    return id;
  }
  ValueId Add(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const ValueId id = Value();
    graph_.nodes.push_back({op, std::move(inputs), {id}, std::move(attributes)});
    return id;
  }
  ValueId Reshape(ValueId input) { return Add(Op::kReshape, {input}, TargetAttributes{Shape{16}}); }
  void Output(ValueId id) {
    graph_.outputs.push_back({"out" + std::to_string(graph_.outputs.size()), id});
  }
  Plan Make(const std::vector<StatePair>& states = {},
            const Interleaving& interleaving = {}) const {
    return MakePlan(graph_, states, 1, interleaving);
  }

 private:
  Graph graph_;
};

TEST(Plan, ElementwiseChainsUseOneBlock) {
  Builder builder;
  ValueId x = builder.Add(Op::kExp, {builder.Input()});
  const ValueId first = x;
  for (int i = 0; i < 5; ++i) x = builder.Add(Op::kNeg, {builder.Reshape(x)});
  const ValueId sum = builder.Add(Op::kMean, {x}, AxesAttributes{{0}});
  builder.Output(sum);
  const Plan plan = builder.Make();
  EXPECT_EQ(plan.locations[first], plan.locations[x]);
  EXPECT_EQ(plan.arena_bytes, 64u);
  EXPECT_EQ(plan.locations[sum].place, Place::kOutput);
}

TEST(Plan, NeverWritesOverWhatIsReadLater) {
  Builder builder;
  const ValueId input = builder.Input();
  const ValueId x = builder.Add(Op::kExp, {input});
  const ValueId view = builder.Reshape(x);
  const ValueId y = builder.Add(Op::kNeg, {x});
  builder.Output(builder.Add(Op::kAdd, {y, view}));
  const Plan plan = builder.Make();
  EXPECT_EQ(plan.locations[view], plan.locations[x]);
  EXPECT_NE(plan.locations[y], plan.locations[x]) << "the view is read by ADD";
  EXPECT_EQ(plan.locations[input].place, Place::kInput);
}

TEST(Plan, InputsAreNotWritten) {
  Builder builder;
  const ValueId input = builder.Input();
  const ValueId y = builder.Add(Op::kNeg, {input});
  builder.Output(builder.Add(Op::kMean, {y}, AxesAttributes{{0}}));
  EXPECT_EQ(builder.Make().locations[y].place, Place::kArena);
}

TEST(Plan, CachesAreUpdatedInPlaceUnlessTheOldContentIsNeeded) {
  for (const bool read_later : {false, true}) {
    Builder builder;
    const ValueId cache = builder.Input();
    const ValueId update = builder.Input();
    const ValueId start = builder.Input();
    const ValueId updated = builder.Add(Op::kDynamicUpdateSlice, {cache, update, start});
    builder.Output(builder.Reshape(updated));
    builder.Output(builder.Add(Op::kNeg, {read_later ? cache : updated}));
    const Plan plan = builder.Make({{0, 0}});
    if (read_later) {
      EXPECT_EQ(plan.locations[updated].place, Place::kArena);
      EXPECT_EQ(plan.copied_outputs, (std::vector<size_t>{0}));
    } else {
      EXPECT_EQ(plan.locations[updated], plan.locations[cache]);
      EXPECT_TRUE(plan.copied_outputs.empty());
    }
    // An input that is no state stays as the caller gave it.
    EXPECT_EQ(builder.Make().locations[updated].place, Place::kOutput);
  }
}

TEST(Plan, WhatNodesThatRunTogetherReadStaysUntilAllHaveEnded) {
  Builder builder;
  const ValueId a = builder.Add(Op::kExp, {builder.Input()});
  const ValueId b = builder.Add(Op::kExp, {builder.Input()});
  const ValueId sum =
      builder.Add(Op::kAdd, {a, b});  // Written over a; b is read for the last time.
  const ValueId norm = builder.Add(Op::kTile, {sum});  // No operator that writes over its input.
  builder.Output(builder.Add(Op::kMean, {builder.Add(Op::kSub, {sum, norm})}, AxesAttributes{{0}}));
  const Plan apart = builder.Make();
  EXPECT_EQ(apart.locations[norm], apart.locations[b]);
  const Plan together = builder.Make({}, {.last = {0, 1, 3, 3, 4, 5}, .passing = {}});
  EXPECT_EQ(together.locations[sum], together.locations[a]) << "row for row";
  EXPECT_NE(together.locations[norm], together.locations[b]);
}

TEST(Plan, OneValueMayBeSeveralOutputs) {
  Builder builder;
  const ValueId input = builder.Input();
  const ValueId x = builder.Add(Op::kExp, {input});
  builder.Output(x);
  builder.Output(builder.Reshape(x));
  builder.Output(input);
  const Plan plan = builder.Make();
  EXPECT_EQ(plan.locations[x].place, Place::kOutput);
  EXPECT_EQ(plan.copied_outputs, (std::vector<size_t>{1, 2}));
}

}  // namespace
}  // namespace litertlm
