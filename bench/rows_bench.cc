// Operators on rows that lie in the cache, on one thread.
#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/kernel_table.h"

namespace litertlm::bench {
namespace {

constexpr size_t kCount = 3072;

template <typename F>
void RunRow(benchmark::State& state, F&& f) {
  std::vector<float> a(kCount, 0.5f);
  std::vector<float> b(kCount, -0.25f);
  std::vector<float> y(kCount);
  for (auto _ : state) {
    f(a.data(), b.data(), y.data());
    benchmark::ClobberMemory();
  }
  state.counters["numbers/s"] = benchmark::Counter(static_cast<double>(state.iterations()) * kCount,
                                                   benchmark::Counter::kIsRate);
}

void Add(benchmark::State& state) {
  RunRow(state, [](auto... p) { ActiveKernels().add(p..., kCount); });
}
void RmsNorm(benchmark::State& state) {
  RunRow(state, [](auto... p) { ActiveKernels().rms_norm(p..., kCount, 1e-6f); });
}
void Softmax(benchmark::State& state) {
  RunRow(state, [](const float* a, const float*, float* y) {
    ActiveKernels().softmax(a, y, kCount, 1.0f);
  });
}
void SiluMul(benchmark::State& state) {
  RunRow(state, [](auto... p) { ActiveKernels().silu_mul(p..., kCount); });
}
void GeluTanhMul(benchmark::State& state) {
  RunRow(state, [](auto... p) { ActiveKernels().gelu_tanh_mul(p..., kCount); });
}
void QuantizeRow(benchmark::State& state) {
  std::vector<uint8_t> codes(kCount);
  RunRow(state, [&](const float* a, const float*, float*) {
    RowCoding coding;
    ActiveKernels().quantize_row(a, kCount, codes.data(), &coding);
  });
}

BENCHMARK(Add);
BENCHMARK(RmsNorm);
BENCHMARK(Softmax);
BENCHMARK(SiluMul);
BENCHMARK(GeluTanhMul);
BENCHMARK(QuantizeRow);

}  // namespace
}  // namespace litertlm::bench
