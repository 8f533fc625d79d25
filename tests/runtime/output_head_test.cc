// The output head over the tokens of a reply: which logits it leaves out, and when.
#include "runtime/output_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>
#include <vector>

namespace litertlm {
namespace {

constexpr size_t kRows = 8192;
constexpr size_t kColumns = 256;
constexpr size_t kTokens = 50;  ///< More than the sketch needs to be ready.
constexpr float kNone = -std::numeric_limits<float>::infinity();

class OutputHeadTest : public testing::Test {
 protected:
  OutputHeadTest() : weights_(kRows * kColumns), scales_(kRows, 0.01f) {
    std::normal_distribution<float> normal(0, 35);
    for (int8_t& w : weights_) {
      w = static_cast<int8_t>(std::clamp(normal(random_), -127.0f, 127.0f));
    }
  }

  WeightMatrix weights() const {
    return {.dtype = DType::kI8,
            .data = weights_.data(),
            .rows = kRows,
            .columns = kColumns,
            .scales = scales_.data(),
            .scale_count = kRows};
  }

  /// The next token's logits, by `head` and all of them.
  void Compute(OutputHead& head, const LogitsWanted& wanted, const float* bias = nullptr) {
    std::normal_distribution<float> normal;
    std::vector<float> x(kColumns);
    for (float& value : x) value = deviation_ * normal(random_);
    QuantizedRows coded;
    coded.Quantize(x.data(), 1, kColumns, kColumns, pool_);
    Product product{.weights = weights(), .bias = bias, .y = all_.data(), .y_stride = kRows};
    MatMulDynamic(coded, product, pool_);
    product.y = logits_.data();
    head.Want(wanted);
    head.Compute(coded, product, pool_);
  }

  float deviation_ = 1;  ///< Of activations.
  std::mt19937 random_{3};
  ThreadPool pool_{2};
  std::vector<int8_t> weights_;
  std::vector<float> scales_;
  std::vector<float> all_ = std::vector<float>(kRows);
  std::vector<float> logits_ = std::vector<float>(kRows);
};

TEST_F(OutputHeadTest, LeavesLogitsOutOnceTheSketchIsReady) {
  OutputHead head(0);
  for (size_t token = 0; token < kTokens; ++token) {
    Compute(head, {.best = 1});
    EXPECT_EQ(std::ranges::max_element(logits_) - logits_.begin(),
              std::ranges::max_element(all_) - all_.begin());
    EXPECT_EQ(std::ranges::max(logits_), std::ranges::max(all_));
    if (token == 0) {
      EXPECT_EQ(logits_, all_);
      EXPECT_EQ(head.unread_bytes(), 0u);
    }
  }
  EXPECT_GT(std::ranges::count(logits_, kNone), static_cast<std::ptrdiff_t>(kRows / 2));
  EXPECT_GT(head.unread_bytes(), kRows * kColumns);
}

TEST_F(OutputHeadTest, GivesAllThatAreWanted) {
  OutputHead head(0);
  for (size_t token = 0; token < kTokens; ++token) Compute(head, {.best = 1});
  Compute(head, {});
  EXPECT_EQ(logits_, all_);
  Compute(head, {.best = kRows / 2});
  EXPECT_EQ(logits_, all_);
  const std::vector<float> bias(kRows, 1.0f);
  Compute(head, {.best = 1}, bias.data());
  EXPECT_EQ(logits_, all_);
  // What cannot be chosen does not count, though it may be the highest.
  constexpr size_t kFirst = kRows - 1000;
  Compute(head, {.best = 3, .first = kFirst});
  std::vector<float> sorted(all_.begin(), all_.begin() + kFirst);
  std::ranges::sort(sorted, std::greater());
  for (size_t n = 0; n < kFirst; ++n) {
    if (all_[n] >= sorted[2]) {
      EXPECT_EQ(logits_[n], all_[n]);
    }
  }
}

TEST_F(OutputHeadTest, ASmallOneGetsNoSketch) {
  OutputHead head(kRows * kColumns + 1);
  for (size_t token = 0; token < kTokens; ++token) {
    Compute(head, {.best = 1});
    ASSERT_EQ(logits_, all_);
  }
  EXPECT_EQ(head.unread_bytes(), 0u);
}

// Of logits that are all alike none can be left out: the sketch was only read besides.
TEST_F(OutputHeadTest, PausesWhereItDoesNotPay) {
  OutputHead head(0);
  for (size_t token = 0; token < kTokens; ++token) Compute(head, {.best = 1});
  EXPECT_NE(logits_, all_);
  deviation_ = 0;
  Compute(head, {.best = 1});
  EXPECT_EQ(logits_, all_);
  deviation_ = 1;
  size_t without = 0;
  while (Compute(head, {.best = 1}), logits_ == all_) {
    ASSERT_LT(++without, 1000u);
  }
  EXPECT_GE(without, 10u);
}

TEST_F(OutputHeadTest, GivesUpWhereItNeverPays) {
  OutputHead head(0);
  deviation_ = 0;
  for (size_t token = 0; token < 400; ++token) Compute(head, {.best = 1});
  deviation_ = 1;
  for (size_t token = 0; token < 200; ++token) {
    Compute(head, {.best = 1});
    ASSERT_EQ(logits_, all_);
  }
}

}  // namespace
}  // namespace litertlm
