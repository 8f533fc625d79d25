// Attention of every instruction set against the formula in double precision, to 1e-5. Sets that
// multiply words may besides add as much as the rounding of a cache in f16 has done.
#include "kernels/attention.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "base/cache_row.h"
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

/// One cache, of keys or of values. What lies beyond the filled positions is NaN: it must not be
/// read.
class Cache {
 public:
  Cache(const Case& c, DType type, std::mt19937& random)
      : size_(c.head_size), positions_(c.position + c.rows + 3) {
    std::normal_distribution<float> normal;
    for (size_t head = 0; head < c.kv_heads; ++head) {
      for (size_t position = 0; position < positions_; ++position) {
        std::vector<float> row(size_, std::nanf(""));
        const bool filled = position < c.position + c.rows;
        if (filled) std::generate(row.begin(), row.end(), [&] { return normal(random); });
        exact_.insert(exact_.end(), row.begin(), row.end());
        Keep(type, row);
      }
    }
  }

  const void* data() const { return bytes_.data(); }
  double At(Numbers numbers, size_t head, size_t position, size_t i) const {
    const size_t at = (head * positions_ + position) * size_ + i;
    return numbers == Numbers::kKept ? kept_[at] : exact_[at];
  }

 private:
  void Keep(DType type, const std::vector<float>& row) {
    if (type == DType::kF32) {
      for (const float x : row) Append(x, x);
    } else if (type == DType::kF16) {
      for (const float x : row) Append(FloatToF16(x), F16ToFloat(FloatToF16(x)));
    } else {
      float largest = 0;
      for (const float x : row) largest = std::isnan(x) ? x : std::max(largest, std::abs(x));
      const float scale = largest / 127;
      for (const float x : row) {
        const auto code = static_cast<int8_t>(std::isnan(x) ? 0 : std::lround(x / scale));
        Append(code, static_cast<float>(code) * scale);
      }
      AppendBytes(scale);
    }
  }
  template <typename T>
  void Append(T element, float worth) {
    AppendBytes(element);
    kept_.push_back(worth);
  }
  template <typename T>
  void AppendBytes(T element) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&element);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof(element));
  }

  size_t size_;
  size_t positions_;
  std::vector<float> exact_;
  std::vector<float> kept_;
  std::vector<std::byte> bytes_;
};

struct Caches {
  Cache keys;
  Cache values;
};

/// All but where queries and results are, whose rows are one behind the other.
AttentionArgs ArgsOf(const Case& c, const Caches& caches, DType type) {
  AttentionArgs args;
  args.cache_type = type;
  args.keys = caches.keys.data();
  args.values = caches.values.data();
  args.cache_positions = c.position + c.rows + 3;
  args.cache_row = static_cast<size_t>(CacheRowLength(type, static_cast<int64_t>(c.head_size)));
  args.q_row_stride = args.y_row_stride = c.heads * c.head_size;
  args.q_head_stride = args.y_head_stride = c.head_size;
  args.rows = c.rows;
  args.heads = c.heads;
  args.kv_heads = c.kv_heads;
  args.head_size = c.head_size;
  args.position = c.position;
  args.window = c.window;
  return args;
}

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
      score += q[i] * caches.keys.At(numbers, kv_head, position, i);
    }
    weights.push_back(score * scale);
  }
  const double highest = *std::max_element(weights.begin(), weights.end());
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp(weight - highest);
  std::vector<double> y(c.head_size);
  for (size_t position = begin; position < end; ++position) {
    for (size_t i = 0; i < c.head_size; ++i) {
      y[i] += weights[position - begin] / sum * caches.values.At(numbers, kv_head, position, i);
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
    for (const DType type : {DType::kF32, DType::kF16, DType::kI8}) {
      const Caches caches{Cache(c, type, random), Cache(c, type, random)};
      const size_t row_stride = c.heads * c.head_size + 5;
      std::vector<float> q(c.rows * row_stride);
      for (float& value : q) value = normal(random);
      std::vector<float> y(c.rows * c.heads * c.head_size);
      AttentionArgs args = ArgsOf(c, caches, type);
      args.q = q.data();
      args.q_row_stride = row_stride;
      args.y = y.data();
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

// The bits of attention to queries that were turned before; the result may lie where they did.
TEST_P(AttentionTest, TurnsQueries) {
  std::mt19937 random(6);
  std::normal_distribution<float> normal;
  for (const Case& c : kCases) {
    if (c.head_size % 2 != 0) continue;
    const Caches caches{Cache(c, DType::kF16, random), Cache(c, DType::kF16, random)};
    const auto numbers = [&](size_t count) {
      std::vector<float> x(count);
      std::generate(x.begin(), x.end(), [&] { return normal(random); });
      return x;
    };
    const size_t width = c.heads * c.head_size;
    std::vector<float> q = numbers(c.rows * width);
    const std::vector<float> cos = numbers(c.rows * c.head_size / 2);
    const std::vector<float> sin = numbers(c.rows * c.head_size / 2);
    const std::vector<float> gains = numbers(c.head_size);
    const Rotation rotation{cos.data(), sin.data(), c.head_size / 2, gains.data(), 1e-6f};
    std::vector<float> turned(q.size());
    for (size_t i = 0; i < c.rows * c.heads; ++i) {
      table_.rope(rotation, i / c.heads, &q[i * c.head_size], &turned[i * c.head_size],
                  c.head_size);
    }
    AttentionArgs args = ArgsOf(c, caches, DType::kF16);
    ThreadPool pool(2);
    const auto run = [&](std::vector<float>& x) {
      args.q = args.y = x.data();
      AttentionWith(table_, args, pool);
    };
    run(turned);
    args.rotation = rotation;
    run(q);
    EXPECT_EQ(q, turned) << fmt::format("{} rows, size {}", c.rows, c.head_size);
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
      args.cache_row = head_size;
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
