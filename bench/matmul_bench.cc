// Products with weight matrices, in the shapes of Qwen3-0.6B: prefill beside the processor's
// integer peak, decode beside the memory's bandwidth.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/half.h"
#include "base/memory_bandwidth.h"
#include "bench/ceilings.h"
#include "kernels/isa.h"
#include "kernels/matmul.h"

namespace litertlm::bench {
namespace {

struct Format {
  const char* name;
  DType dtype;
  size_t block;
  bool dynamic;
};

constexpr Format kFormats[] = {
    {"dynamic_int8", DType::kI8, 0, true},
    {"dynamic_int4", DType::kI4, 0, true},
    {"dynamic_int4_block32", DType::kI4, 32, true},
    {"dynamic_int4_block128", DType::kI4, 128, true},
    {"int8", DType::kI8, 0, false},
    {"fp16", DType::kF16, 0, false},
    {"none", DType::kF32, 0, false},
};

/// Matrices one behind the other in cold memory, so that each product reads from memory anew.
class Matrices {
 public:
  Matrices(const Format& format, size_t n, size_t k)
      : scales_(n, 0.01f),
        block_scales_(format.block ? n * k / format.block : 0, FloatToF16(0.01f)) {
    matrix_ = {.dtype = format.dtype, .rows = n, .columns = k, .block = format.block};
    if (format.block) {
      matrix_.block_scales = block_scales_.data();
    } else {
      matrix_.scales = scales_.data();
      matrix_.scale_count = n;
    }
  }
  size_t bytes() const { return BytesFor(matrix_.dtype, matrix_.rows * matrix_.columns); }
  WeightMatrix Next() {
    matrix_.data = cold_ + offset_;
    offset_ += bytes();
    if (offset_ + bytes() > kColdBytes) offset_ = 0;
    return matrix_;
  }

 private:
  std::vector<float> scales_;
  std::vector<uint16_t> block_scales_;
  const uint8_t* cold_ = Cold();  // Made before anything is timed.
  WeightMatrix matrix_;
  size_t offset_ = 0;
};

/// The speed of products beside that of reading memory, in turn: within a second the memory of a
/// shared machine may become twice as fast.
class BesideReading {
 public:
  explicit BesideReading(ThreadPool& pool) : reader_(pool) {}

  void Add(size_t bytes, double seconds) {
    bytes_ += bytes;
    seconds_ += seconds;
    if (bytes_ < kColdBytes) return;
    products_.push_back(static_cast<double>(bytes_) / seconds_);
    reading_.push_back(reader_.Measure());
    bytes_ = 0;
    seconds_ = 0;
  }

  /// Medians of both, divided; 0 for fewer bytes than a pass has.
  double Share() { return products_.empty() ? 0 : Median(products_) / Median(reading_); }

 private:
  static double Median(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  }

  MemoryReader reader_;
  size_t bytes_ = 0;
  double seconds_ = 0;
  std::vector<double> products_;
  std::vector<double> reading_;
};

void MatMul(benchmark::State& state, const Format& format, size_t m, size_t k, size_t n,
            bool quantize) {
  const int threads = static_cast<int>(state.range(0));
  ThreadPool pool(threads);
  Matrices matrices(format, n, k);
  std::vector<float> x(m * k);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7919 % 1000) - 300.0f;
  std::vector<float> y(m * n);
  QuantizedRows coded;
  coded.Quantize(x.data(), m, k, k, pool);
  std::optional<BesideReading> beside;  // Of products that are limited by memory.
  if (m <= 4) beside.emplace(pool);
  for (auto _ : state) {
    const Product product{matrices.Next(), nullptr, y.data(), n};
    const auto start = std::chrono::steady_clock::now();
    if (quantize) coded.Quantize(x.data(), m, k, k, pool);
    if (format.dynamic) {
      MatMulDynamic(coded, product, pool);
    } else {
      MatMulFloat(x.data(), m, k, product, pool);
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(taken.count());
    if (beside) beside->Add(matrices.bytes(), taken.count());
  }
  const double products = static_cast<double>(state.iterations());
  const double operations = 2.0 * static_cast<double>(m * n * k) * products;
  const double bytes = static_cast<double>(matrices.bytes()) * products;
  using benchmark::Counter;
  if (beside) {
    state.counters["GB/s"] = Counter(bytes / 1e9, Counter::kIsRate);
    state.counters["of_read"] = beside->Share();
  } else {
    state.counters["TOPS"] = Counter(operations / 1e12, Counter::kIsRate);
    if (format.dynamic && IntegerPeak(threads) > 0) {
      state.counters["of_peak"] = Counter(operations / IntegerPeak(threads), Counter::kIsRate);
    }
  }
  state.SetLabel(ActiveIsaName());
}

const int kRegistered = [] {
  const auto add = [](const Format& format, size_t m, size_t k, size_t n, bool quantize) {
    const std::string name = std::string("matmul/") + format.name + (quantize ? "+coding" : "") +
                             "/" + std::to_string(m) + "x" + std::to_string(k) + "x" +
                             std::to_string(n);
    benchmark::RegisterBenchmark(name.c_str(), MatMul, format, m, k, n, quantize)
        ->ArgName("threads")
        ->Arg(1)
        ->Arg(2)
        ->UseManualTime();
  };
  for (const Format& format : kFormats) {
    add(format, 512, 1024, 3072, false);
    if (format.dynamic) add(format, 512, 1024, 3072, true);
    for (const size_t m : {1, 4, 8}) add(format, m, 1024, 3072, false);
  }
  add(kFormats[0], 512, 3072, 1024, false);
  add(kFormats[0], 1, 3072, 1024, false);
  add(kFormats[0], 1, 1024, 151936, false);
  return 0;
}();

}  // namespace
}  // namespace litertlm::bench
