#include "engine/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <span>
#include <vector>

#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TokenId SampleOnce(const SamplerOptions& options, std::vector<float> logits) {
  return Sampler(options, {}, {}, {}).Sample(logits);
}

// How often each token is drawn.
std::map<TokenId, int> Draw(SamplerOptions options, const std::vector<float>& logits, int times) {
  options.seed = 1;
  Sampler sampler(options, {}, {}, {});
  std::map<TokenId, int> counts;
  for (int i = 0; i < times; ++i) {
    std::vector<float> row = logits;
    ++counts[sampler.Sample(row)];
  }
  return counts;
}

std::set<TokenId> DrawnTokens(const SamplerOptions& options, const std::vector<float>& logits) {
  std::set<TokenId> tokens;
  for (const auto& [token, count] : Draw(options, logits, 5000)) tokens.insert(token);
  return tokens;
}

TEST(Sampler, GreedyTakesTheFirstOfTheBest) {
  EXPECT_EQ(SampleOnce({}, {1, 5, 3, 5}), 1);
  EXPECT_EQ(SampleOnce({.temperature = 2, .top_k = 1}, {1, 5, 3, 5}), 1);
  EXPECT_EQ(SampleOnce({}, {kNaN, -3, kNaN, -2}), 3);
}

TEST(Sampler, FindsTheBestAnywhereInALargeVocabulary) {
  for (const size_t count : {31u, 32u, 33u, 1023u, 1024u, 1025u, 3000u}) {
    for (size_t at = 0; at < count; at += 29) {
      std::vector<float> logits(count, -1.0f);
      logits[at] = 2;
      logits.back() = 2;
      ASSERT_EQ(SampleOnce({}, logits), static_cast<TokenId>(at)) << "of " << count;
    }
  }
}

TEST(Sampler, DrawsAmongNumbersOnly) {
  const std::vector<float> logits = {kNaN, 1, -std::numeric_limits<float>::infinity(), 1, kNaN};
  for (const SamplerOptions& options :
       {SamplerOptions{.temperature = 1}, SamplerOptions{.temperature = 1, .top_p = 0.9f},
        SamplerOptions{.temperature = 1, .top_k = 3}}) {
    EXPECT_EQ(DrawnTokens(options, logits), (std::set<TokenId>{1, 3}));
  }
}

TEST(Sampler, TakesTheBestAtTheLowestTemperatures) {
  for (const float temperature : {1e-3f, 1e-20f, 1e-45f}) {
    for (const int top_k : {0, 3}) {
      EXPECT_EQ(DrawnTokens({.temperature = temperature, .top_k = top_k}, {1, 2, 1.5f}),
                (std::set<TokenId>{1}));
    }
  }
}

TEST(Sampler, RefusesARowWithoutANumber) {
  try {
    SampleOnce({}, {kNaN, kNaN});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  }
}

TEST(Sampler, NeverChoosesSuppressedTokens) {
  const std::vector<TokenId> suppressed = {1, 3};
  Sampler sampler({}, suppressed, {}, {});
  std::vector<float> logits = {1, 5, 3, 5};
  EXPECT_EQ(sampler.Sample(logits), 2);
}

TEST(Sampler, DrawsByProbability) {
  // Probabilities 1/7, 2/7, 4/7.
  const std::vector<float> logits = {0, std::log(2.0f), std::log(4.0f)};
  constexpr int kTimes = 70000;
  auto counts = Draw({.temperature = 1}, logits, kTimes);
  // Five standard deviations.
  EXPECT_NEAR(counts[0], kTimes / 7, 460);
  EXPECT_NEAR(counts[1], kTimes * 2 / 7, 600);
  EXPECT_NEAR(counts[2], kTimes * 4 / 7, 660);
  // Half the temperature squares the ratios: 1 : 4 : 16.
  counts = Draw({.temperature = 0.5f}, logits, kTimes);
  EXPECT_NEAR(counts[0], kTimes / 21, 290);
  EXPECT_NEAR(counts[2], kTimes * 16 / 21, 570);
}

TEST(Sampler, TopKKeepsTheBestAndOfEqualsTheFirst) {
  EXPECT_EQ(DrawnTokens({.temperature = 1, .top_k = 2}, {2, 3, 3, 3, 1}),
            (std::set<TokenId>{1, 2}));
  EXPECT_EQ(DrawnTokens({.temperature = 1, .top_k = 100}, {1, 1, 1}), (std::set<TokenId>{0, 1, 2}));
}

TEST(Sampler, TopPKeepsTheFewestThatReachIt) {
  // Probabilities 0.05, 0.5, 0.15, 0.3.
  const std::vector<float> logits = {std::log(0.05f), std::log(0.5f), std::log(0.15f),
                                     std::log(0.3f)};
  EXPECT_EQ(DrawnTokens({.temperature = 1, .top_p = 0.4f}, logits), (std::set<TokenId>{1}));
  EXPECT_EQ(DrawnTokens({.temperature = 1, .top_p = 0.6f}, logits), (std::set<TokenId>{1, 3}));
  EXPECT_EQ(DrawnTokens({.temperature = 1, .top_p = 0.9f}, logits), (std::set<TokenId>{1, 2, 3}));
  // Shares count among what top-k left: 0.5 / 0.8 = 0.625.
  EXPECT_EQ(DrawnTokens({.temperature = 1, .top_k = 2, .top_p = 0.6f}, logits),
            (std::set<TokenId>{1}));
}

TEST(Sampler, TopPLooksBeyondTheFirstFewHundred) {
  // 1000 equal tokens: 900 are needed.
  const std::vector<float> logits(1000, 1.0f);
  const auto tokens = DrawnTokens({.temperature = 1, .top_p = 0.9f}, logits);
  EXPECT_GT(tokens.size(), 800u);
  EXPECT_LT(*tokens.rbegin(), 901);
}

// The same by sorting: tokens of random logits, drawn so often that all are seen whose share is not
// far below that of the others.
TEST(Sampler, TopPOfManyTokensKeepsThoseThatSortingKeeps) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 0.1f);
  std::vector<float> logits(2000);
  std::generate(logits.begin(), logits.end(), [&] { return normal(random); });
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  double total = 0;
  for (const float logit : logits) total += std::exp(logit);
  std::set<TokenId> expected;
  double reached = 0;
  for (size_t i = 0; reached < 0.5 * total; ++i) {
    expected.insert(static_cast<TokenId>(order[i]));
    reached += std::exp(logits[order[i]]);
  }
  std::set<TokenId> drawn;
  for (const auto& [token, count] : Draw({.temperature = 1, .top_p = 0.5f}, logits, 40000)) {
    drawn.insert(token);
  }
  EXPECT_GT(expected.size(), 256u);  // Which are sorted.
  EXPECT_EQ(drawn, expected);
}

TEST(Sampler, MinPKeepsThoseNearTheBest) {
  const std::vector<float> logits = {std::log(0.05f), std::log(0.5f), std::log(0.15f),
                                     std::log(0.3f)};
  EXPECT_EQ(DrawnTokens({.temperature = 1, .min_p = 0.5f}, logits), (std::set<TokenId>{1, 3}));
  EXPECT_EQ(DrawnTokens({.temperature = 1, .top_p = 0.99f, .min_p = 0.5f}, logits),
            (std::set<TokenId>{1, 3}));
  EXPECT_EQ(DrawnTokens({.temperature = 1, .top_k = 3, .min_p = 0.5f}, logits),
            (std::set<TokenId>{1, 3}));
}

TEST(Sampler, RepetitionPenaltyCountsPromptAndReplyAndSparesStopTokens) {
  const std::vector<TokenId> spared = {2};
  const std::vector<TokenId> context = {0, 2};
  Sampler sampler({.repetition_penalty = 2}, {}, spared, context);
  std::vector<float> logits = {4, 3, -1, 1.5f};
  EXPECT_EQ(sampler.Sample(logits), 1);
  EXPECT_THAT(logits, testing::ElementsAre(2, 3, -1, 1.5f));
  logits = {4, 3, -1, 1.25f};
  EXPECT_EQ(sampler.Sample(logits), 0);
  EXPECT_THAT(logits, testing::ElementsAre(2, 1.5f, -1, 1.25f));
  logits = {-4, -3, -9, -9};
  sampler.Sample(logits);
  EXPECT_THAT(logits, testing::ElementsAre(-8, -6, -9, -9));
}

TEST(Sampler, PresencePenaltyCountsOnlyTheReply) {
  const std::vector<TokenId> context = {0};
  Sampler sampler({.presence_penalty = 1.5f}, {}, {}, context);
  std::vector<float> logits = {4, 3};
  EXPECT_EQ(sampler.Sample(logits), 0);
  logits = {4, 3};
  EXPECT_EQ(sampler.Sample(logits), 1);
}

// The numbers are SplitMix64's first outputs for seed 1234567 (Rosetta Code, "Pseudo-random
// numbers/Splitmix64"), scaled to [0, 1): a row of equal logits shows them.
TEST(Sampler, DrawsTheSameOnEveryMachine) {
  constexpr size_t kTokens = 1000;
  Sampler sampler({.temperature = 1, .seed = 1234567}, {}, {}, {});
  for (const uint64_t expected :
       {6457827717110365317u, 3203168211198807973u, 9817491932198370423u}) {
    std::vector<float> logits(kTokens, 0.0f);
    const double uniform = static_cast<double>(expected >> 11) * 0x1p-53;
    EXPECT_EQ(sampler.Sample(logits), static_cast<TokenId>(uniform * kTokens));
  }
}

TEST(Sampler, TakesAnotherSeedEachTimeAndSaysWhich) {
  const SamplerOptions options{.temperature = 1};
  EXPECT_NE(Sampler(options, {}, {}, {}).seed(), Sampler(options, {}, {}, {}).seed());
  EXPECT_EQ(Sampler({.seed = 7}, {}, {}, {}).seed(), 7u);
}

// Logits that it did not want may be missing: it chooses the same tokens.
TEST(Sampler, WantsWhatItLooksAt) {
  constexpr size_t kTokens = 300;
  constexpr size_t kChoosable = 250;
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 3);
  const std::vector<TokenId> suppressed = {7, 8};
  const std::vector<TokenId> context = {1, 2, 3, 20};
  size_t left_out = 0;
  for (const SamplerOptions& options :
       {SamplerOptions{}, SamplerOptions{.temperature = 1},
        SamplerOptions{.temperature = 1, .top_k = 1},
        SamplerOptions{.temperature = 2, .top_k = 5, .seed = 1},
        SamplerOptions{.temperature = 2, .top_k = 20, .top_p = 0.9f, .min_p = 0.01f, .seed = 2},
        SamplerOptions{.temperature = 2, .top_k = 5, .repetition_penalty = 2, .seed = 3},
        SamplerOptions{.temperature = 0, .presence_penalty = 2},
        SamplerOptions{.temperature = 3, .top_p = 0.9f, .seed = 4}}) {
    SamplerOptions seeded = options;
    seeded.seed = 6;
    Sampler all(seeded, suppressed, {}, context);
    Sampler wanting(seeded, suppressed, {}, context);
    for (int i = 0; i < 100; ++i) {
      std::vector<float> logits(kTokens);
      for (float& logit : logits) logit = normal(random);
      logits[7] = logits[8] = 50;
      std::ranges::fill(logits.begin() + kChoosable, logits.end(), 60.0f);
      const LogitsWanted wanted = wanting.Wanted(kChoosable);
      ASSERT_EQ(wanted.first, kChoosable);
      std::vector<float> some = logits;
      std::ranges::sort(some.begin(), some.begin() + kChoosable, std::greater());
      const float least = wanted.best < kChoosable ? some[wanted.best - 1] : some[kChoosable - 1];
      some = logits;
      for (float& logit : some) {
        if (logit >= least) continue;
        logit = -std::numeric_limits<float>::infinity();
        ++left_out;
      }
      const TokenId chosen = all.Sample(std::span(logits).first(kChoosable));
      ASSERT_EQ(wanting.Sample(std::span(some).first(kChoosable)), chosen);
    }
  }
  EXPECT_GT(left_out, 4u * 100 * 200);
}

TEST(Sampler, RefusesValuesOutOfRange) {
  for (const SamplerOptions& options :
       {SamplerOptions{.temperature = -1}, SamplerOptions{.top_k = -1}, SamplerOptions{.top_p = 0},
        SamplerOptions{.top_p = 1.5f}, SamplerOptions{.min_p = 1},
        SamplerOptions{.repetition_penalty = 0}, SamplerOptions{.temperature = kNaN}}) {
    EXPECT_THROW(CheckSamplerOptions(options), Error);
  }
}

}  // namespace
}  // namespace litertlm
