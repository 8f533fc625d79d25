// Attention of every instruction set against the formula in double precision, to 1e-5. Sets that
// multiply words may besides add as much as the rounding of a cache in f16 has done.
#include "kernels/attention.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "base/half.h"
#include "kernels/kernel_table.h"
#include "tests/kernels/every_isa.h"

namespace litertlm {
namespace {

struct Case {
  size_t rows, heads, kv_heads, head_size, position, window;
};

const Case kCases[] = {
    {1, 4, 2, 64, 0, 0},    {1, 4, 2, 128, 99, 0},  {1, 3, 1, 32, 700, 512},  {2, 4, 2, 16, 64, 0},
    {5, 4, 2, 64, 130, 0},  {33, 4, 4, 32, 0, 0},   {70, 2, 1, 64, 10, 0},    {150, 4, 1, 48, 3, 0},
    {64, 4, 2, 32, 40, 20}, {3, 2, 2, 24, 7, 0},    {9, 2, 1, 17, 30, 8},     {5, 4, 2, 20, 61, 0},
    {1, 16, 1, 64, 65, 0},  {200, 2, 2, 32, 0, 16}, {130, 3, 1, 32, 200, 90}, {90, 3, 1, 16, 80, 0},
};

/// Keys and values by position: as they were, and as the cache keeps them.
enum class Numbers { kExact, kKept };

/// Caches with what lies beyond the filled positions set to NaN: it must not be read.
class Caches {
 public:
  Caches(const Case& c, DType type, std::mt19937& random) : type_(type), head_size_(c.head_size) {
    const size_t filled = c.position + c.rows;
    args_.cache_positions = filled + 3;
    std::normal_distribution<float> normal;
    const size_t count = c.kv_heads * args_.cache_positions * c.head_size;
    for (auto* floats : {&keys_, &values_}) floats->assign(count, std::nanf(""));
    args_.cache_type = type;
    for (size_t head = 0; head < c.kv_heads; ++head) {
      for (size_t position = 0; position < filled; ++position) {
        for (size_t i = 0; i < c.head_size; ++i) {
          keys_[Index(head, position, i)] = normal(random);
          values_[Index(head, position, i)] = normal(random);
        }
      }
    }
    for (const float key : keys_) half_keys_.push_back(FloatToF16(key));
    for (const float value : values_) half_values_.push_back(FloatToF16(value));
    args_.keys = type == DType::kF16 ? static_cast<const void*>(half_keys_.data()) : keys_.data();
    args_.values =
        type == DType::kF16 ? static_cast<const void*>(half_values_.data()) : values_.data();
  }

  const AttentionArgs& args() const { return args_; }
  double Key(Numbers numbers, size_t head, size_t position, size_t i) const {
    return As(numbers, keys_[Index(head, position, i)]);
  }
  double Value(Numbers numbers, size_t head, size_t position, size_t i) const {
    return As(numbers, values_[Index(head, position, i)]);
  }

 private:
  float As(Numbers numbers, float x) const {
    return numbers == Numbers::kKept && type_ == DType::kF16 ? F16ToFloat(FloatToF16(x)) : x;
  }
  size_t Index(size_t head, size_t position, size_t i) const {
    return (head * args_.cache_positions + position) * head_size_ + i;
  }

  DType type_;
  size_t head_size_;
  std::vector<float> keys_;
  std::vector<float> values_;
  std::vector<uint16_t> half_keys_;
  std::vector<uint16_t> half_values_;
  AttentionArgs args_;
};

/// y[row, head, :] by the formula.
std::vector<double> Expected(const Case& c, const Caches& caches, Numbers numbers, const float* q,
                             float scale, size_t row, size_t head) {
  const size_t kv_head = head / (c.heads / c.kv_heads);
  const size_t end = c.position + row + 1;
  const size_t begin = c.window != 0 && end > c.window ? end - c.window : 0;
  std::vector<double> weights;
  for (size_t position = begin; position < end; ++position) {
    double score = 0;
    for (size_t i = 0; i < c.head_size; ++i) {
      score += q[i] * caches.Key(numbers, kv_head, position, i);
    }
    weights.push_back(score * scale);
  }
  const double highest = *std::max_element(weights.begin(), weights.end());
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp(weight - highest);
  std::vector<double> y(c.head_size);
  for (size_t position = begin; position < end; ++position) {
    for (size_t i = 0; i < c.head_size; ++i) {
      y[i] += weights[position - begin] / sum * caches.Value(numbers, kv_head, position, i);
    }
  }
  return y;
}

class AttentionTest : public EveryIsa {
 protected:
  bool MultipliesWords() const {
    const std::string name = GetParam();
    return name == "avx512vnni" || name == "avxvnni";
  }
};
INSTANTIATE_FOR_EVERY_ISA(AttentionTest);

TEST_P(AttentionTest, FollowsTheFormula) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0.0f, 2.0f);
  for (const Case& c : kCases) {
    for (const DType type : {DType::kF32, DType::kF16}) {
      const Caches caches(c, type, random);
      const size_t row_stride = c.heads * c.head_size + 5;
      std::vector<float> q(c.rows * row_stride);
      for (float& value : q) value = normal(random);
      std::vector<float> y(c.rows * c.heads * c.head_size);
      AttentionArgs args = caches.args();
      args.q = q.data();
      args.q_row_stride = row_stride;
      args.q_head_stride = args.y_head_stride = c.head_size;
      args.y = y.data();
      args.y_row_stride = c.heads * c.head_size;
      args.rows = c.rows;
      args.heads = c.heads;
      args.kv_heads = c.kv_heads;
      args.head_size = c.head_size;
      args.position = c.position;
      args.window = c.window;
      args.scale = 0.125f;
      ThreadPool pool(2);
      AttentionWith(table_, args, pool);
      double worst = 0;
      double by_rounding = 0;
      for (size_t row = 0; row < c.rows; ++row) {
        for (size_t head = 0; head < c.heads; ++head) {
          const float* query = &q[row * row_stride + head * c.head_size];
          const auto expected = [&](Numbers numbers) {
            return Expected(c, caches, numbers, query, args.scale, row, head);
          };
          const std::vector<double> kept = expected(Numbers::kKept);
          const std::vector<double> exact = expected(Numbers::kExact);
          for (size_t i = 0; i < c.head_size; ++i) {
            const double difference = y[row * args.y_row_stride + head * c.head_size + i] - kept[i];
            ASSERT_FALSE(std::isnan(difference)) << "row " << row << ", head " << head;
            worst = std::max(worst, std::abs(difference));
            by_rounding = std::max(by_rounding, std::abs(exact[i] - kept[i]));
          }
        }
      }
      EXPECT_LE(worst, MultipliesWords() ? 1e-5 + by_rounding : 1e-5)
          << fmt::format("{} rows, size {}, {}", c.rows, c.head_size, Info(type).name);
    }
  }
}

// Queries along keys of equal numbers reach the largest sums of products of words there can be, and
// equal weights of values of one size the largest sums of weighted values.
TEST_P(AttentionTest, LargestSumsFit) {
  constexpr size_t kRows = 150;
  for (const size_t head_size : {64, 256}) {
    for (const float query : {0.0f, 1.0f, -30.0f, 1e-20f, 1e15f}) {
      std::vector<float> q(kRows * head_size, query);
      std::vector<float> y(kRows * head_size);
      std::vector<uint16_t> keys;
      std::vector<uint16_t> values;
      for (size_t row = 0; row < kRows; ++row) {
        // Every second key is opposed to the queries, which see nothing of its value then.
        const bool opposed = row % 2 == 1 && std::abs(query) >= 1;
        keys.insert(keys.end(), head_size, FloatToF16((query < 0) != opposed ? -7.0f : 7.0f));
        values.insert(values.end(), head_size, FloatToF16(opposed ? 5.0f : -3.0f));
      }
      AttentionArgs args;
      args.q = q.data();
      args.y = y.data();
      args.cache_type = DType::kF16;
      args.keys = keys.data();
      args.values = values.data();
      args.q_row_stride = args.q_head_stride = args.y_row_stride = args.y_head_stride = head_size;
      args.cache_positions = kRows;
      args.rows = kRows;
      args.heads = args.kv_heads = 1;
      args.head_size = head_size;
      ThreadPool pool(1);
      AttentionWith(table_, args, pool);
      for (const float value : y) ASSERT_NEAR(value, -3.0f, 1e-3f) << query << ", " << head_size;
    }
  }
}

}  // namespace
}  // namespace litertlm
