// Choosing a token from the logits of Gemma's vocabulary, in the usual ways.
#include "engine/sampler.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <vector>

namespace litertlm::bench {
namespace {

void Sample(benchmark::State& state, const SamplerOptions& options) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 4);
  std::vector<float> logits(262144);
  std::generate(logits.begin(), logits.end(), [&] { return normal(random); });
  logits[1000] = 22;  // A model knows what it wants to say.
  Sampler sampler(options, {}, {}, {});
  for (auto _ : state) benchmark::DoNotOptimize(sampler.Sample(logits));
}

BENCHMARK_CAPTURE(Sample, greedy, SamplerOptions{})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Sample, temperature, SamplerOptions{.temperature = 1})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Sample, top_p, SamplerOptions{.temperature = 1, .top_p = 0.95f})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Sample, top_k_and_top_p,
                  SamplerOptions{.temperature = 1, .top_k = 64, .top_p = 0.95f})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace litertlm::bench
