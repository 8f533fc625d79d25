// Attention in the shape of Qwen3-0.6B (16 heads on 8, size 128) and Gemma3-270m (4 on 1, 256).
#include <benchmark/benchmark.h>

#include <vector>

#include "base/cache_row.h"
#include "bench/ceilings.h"
#include "kernels/attention.h"

namespace litertlm::bench {
namespace {

struct Shape {
  size_t heads, kv_heads, head_size;
};

void RunAttention(benchmark::State& state, Shape shape, DType type) {
  const auto rows = static_cast<size_t>(state.range(0));
  const auto depth = static_cast<size_t>(state.range(1));
  const int threads = static_cast<int>(state.range(2));
  ThreadPool pool(threads);
  const size_t width = shape.heads * shape.head_size;
  std::vector<float> q(rows * width, 0.1f);
  std::vector<float> y(rows * width);
  const size_t positions = depth + rows;
  const auto row = static_cast<size_t>(CacheRowLength(type, static_cast<int64_t>(shape.head_size)));
  const uint64_t bytes = BytesFor(type, shape.kv_heads * positions * row);
  const std::vector<std::byte> keys(bytes);
  const std::vector<std::byte> values(bytes);
  AttentionArgs args;
  args.q = q.data();
  args.y = y.data();
  args.q_row_stride = args.y_row_stride = width;
  args.q_head_stride = args.y_head_stride = shape.head_size;
  args.cache_type = type;
  args.keys = keys.data();
  args.values = values.data();
  args.cache_positions = positions;
  args.cache_row = row;
  args.rows = rows;
  args.heads = shape.heads;
  args.kv_heads = shape.kv_heads;
  args.head_size = shape.head_size;
  args.position = depth;
  for (auto _ : state) Attention(args, pool);
  // Each row sees depth + its number + 1 keys; products with keys and with values.
  const double seen = static_cast<double>(rows) *
                      (static_cast<double>(depth) + 0.5 + 0.5 * static_cast<double>(rows));
  using benchmark::Counter;
  const double runs = static_cast<double>(state.iterations());
  state.counters["GFLOPS"] =
      Counter(runs * 4 * seen * static_cast<double>(width) / 1e9, Counter::kIsRate);
  state.counters["cache_GB/s"] =
      Counter(runs * 2 * static_cast<double>(bytes) / 1e9, Counter::kIsRate);
}

void Cases(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"rows", "depth", "threads"})->UseRealTime();
  for (const int threads : {1, 2}) {
    benchmark->Args({512, 0, threads})->Args({1, 64, threads})->Args({1, 1024, threads});
  }
}

BENCHMARK_CAPTURE(RunAttention, qwen3_600m_f32, Shape{16, 8, 128}, DType::kF32)->Apply(Cases);
BENCHMARK_CAPTURE(RunAttention, qwen3_600m_f16, Shape{16, 8, 128}, DType::kF16)->Apply(Cases);
BENCHMARK_CAPTURE(RunAttention, qwen3_600m_i8, Shape{16, 8, 128}, DType::kI8)->Apply(Cases);
BENCHMARK_CAPTURE(RunAttention, gemma3_270m_f32, Shape{4, 1, 256}, DType::kF32)->Apply(Cases);

}  // namespace
}  // namespace litertlm::bench
