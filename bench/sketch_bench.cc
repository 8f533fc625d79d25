// The highest of many products, of a matrix as large as an output head: with a sketch of it beside
// all products, and making the sketch.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "base/pages.h"
#include "kernels/isa.h"
#include "kernels/sketch.h"

namespace litertlm::bench {
namespace {

/// Normally distributed weights; rows repeat each other from some place on.
class Head {
 public:
  Head(size_t rows, size_t columns) : scales_(rows) {
    ReserveInHugePages(weights_, rows * columns);  // As mapped files are where that is possible.
    weights_.resize(rows * columns);
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 36);
    std::vector<int8_t> some(size_t{1} << 20);
    for (int8_t& w : some) w = static_cast<int8_t>(std::clamp(normal(random), -127.0f, 127.0f));
    for (size_t at = 0; at < weights_.size();) {
      const size_t from = random() % (some.size() / 2);
      const size_t count = std::min(some.size() / 2, weights_.size() - at);
      std::copy_n(some.begin() + static_cast<std::ptrdiff_t>(from), count,
                  weights_.begin() + static_cast<std::ptrdiff_t>(at));
      at += count;
    }
    for (float& scale : scales_) scale = 0.001f + static_cast<float>(random() % 1000) * 1e-7f;
  }

  WeightMatrix view() const {
    return {.dtype = DType::kI8,
            .data = weights_.data(),
            .rows = scales_.size(),
            .columns = weights_.size() / scales_.size(),
            .scales = scales_.data(),
            .scale_count = scales_.size()};
  }

 private:
  std::vector<int8_t> weights_;
  std::vector<float> scales_;
};

/// Rows of activations, so that one is not like the other.
std::vector<QuantizedRows> Activations(size_t columns, ThreadPool& pool) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<QuantizedRows> all(16);
  for (QuantizedRows& coded : all) {
    std::vector<float> x(columns);
    for (float& value : x) value = normal(random);
    coded.Quantize(x.data(), 1, columns, columns, pool);
  }
  return all;
}

/// `best` 0: all products.
void Highest(benchmark::State& state, size_t rows, size_t columns, size_t best) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  const Head head(rows, columns);
  Sketch sketch(head.view());
  sketch.CodeRows(rows, pool);
  const std::vector<QuantizedRows> x = Activations(columns, pool);
  std::vector<float> y(rows);
  const Product product{head.view(), nullptr, y.data(), rows};
  size_t computed = 0;
  size_t turn = 0;
  for (auto _ : state) {
    const QuantizedRows& coded = x[turn++ % x.size()];
    if (best == 0) {
      MatMulDynamic(coded, product, pool);
      computed += rows;
    } else {
      computed += MatMulHighest(coded, product, sketch, rows, best, pool);
    }
  }
  const double all = static_cast<double>(rows) * static_cast<double>(state.iterations());
  state.counters["computed_%"] = 100 * static_cast<double>(computed) / all;
  state.SetLabel(ActiveIsaName());
}

void MakeSketch(benchmark::State& state) {
  constexpr size_t kRows = 32768;
  constexpr size_t kColumns = 1024;
  ThreadPool pool(static_cast<int>(state.range(0)));
  const Head head(kRows, kColumns);
  for (auto _ : state) {
    Sketch sketch(head.view());
    sketch.CodeRows(kRows, pool);
    benchmark::DoNotOptimize(sketch.view());
  }
  using benchmark::Counter;
  state.counters["GB/s"] =
      Counter(static_cast<double>(kRows * kColumns) / 1e9, Counter::kIsIterationInvariantRate);
  state.SetLabel(ActiveIsaName());
}

#define HIGHEST(NAME, ROWS, COLUMNS, BEST)              \
  BENCHMARK_CAPTURE(Highest, NAME, ROWS, COLUMNS, BEST) \
      ->ArgName("threads")                              \
      ->Arg(1)                                          \
      ->Arg(2)                                          \
      ->Unit(benchmark::kMillisecond)                   \
      ->UseRealTime()
HIGHEST(qwen3_0_6b_all, 151936, 1024, 0);
HIGHEST(qwen3_0_6b_1, 151936, 1024, 1);
HIGHEST(qwen3_0_6b_20, 151936, 1024, 20);
HIGHEST(gemma3_270m_all, 262144, 640, 0);
HIGHEST(gemma3_270m_1, 262144, 640, 1);
HIGHEST(gemma3_270m_64, 262144, 640, 64);
BENCHMARK(MakeSketch)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();

}  // namespace
}  // namespace litertlm::bench
