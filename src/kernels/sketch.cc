#include "kernels/sketch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <new>
#include <numeric>

#include "base/pages.h"
#include "kernels/kernel_table.h"

namespace litertlm {
namespace {

constexpr std::align_val_t kBandAlignment{kSketchLine};

/// Bounds that are looked at together: in nearly all places none is high enough.
constexpr size_t kScanned = 64;
static_assert(kScanned % kSketchRows == 0);

/// Ranges of rows that are searched one by one: some for each wanted product, so that the best of
/// each tell nearly what the wanted ones reach.
class Blocks {
 public:
  Blocks(size_t rows, size_t best, size_t threads) : rows_(rows) {
    const size_t wanted = std::max(kPerWanted * best, kPerThread * threads);
    length_ = ((rows + wanted - 1) / wanted + kScanned - 1) / kScanned * kScanned;
  }
  size_t count() const { return (rows_ + length_ - 1) / length_; }
  Range operator[](size_t i) const { return {i * length_, std::min(rows_, (i + 1) * length_)}; }

 private:
  static constexpr size_t kPerWanted = 4;
  static constexpr size_t kPerThread = 64;
  size_t rows_;
  size_t length_;
};

/// Whether kScanned bounds are below a limit; a NaN is not. Without branches, so that compilers
/// make vectors of it.
bool AllBelow(const float* bounds, float limit) {
  int below = 1;
  for (size_t i = 0; i < kScanned; ++i) below &= static_cast<int>(bounds[i] < limit);
  return below != 0;
}

}  // namespace

void Sketch::Free::operator()(void* memory) const { ::operator delete(memory, kBandAlignment); }

bool Sketch::IsPossible(const WeightMatrix& weights) {
  return weights.dtype == DType::kI8 && weights.block == 0 && weights.scale_count == weights.rows &&
         weights.columns > 0 && weights.columns % 2 == 0 && weights.columns <= kMaxDynamicColumns;
}

Sketch::Sketch(const WeightMatrix& weights)
    : weights_(weights),
      parts_(SketchParts(weights.columns)),
      bands_(static_cast<uint8_t*>(::operator new(bytes(), kBandAlignment))) {
  PreferHugePages(bands_.get(), bytes());
}

size_t Sketch::bytes() const {
  return (weights_.rows + kSketchRows - 1) / kSketchRows * SketchBandBytes(parts_);
}

void Sketch::CodeRows(size_t count, ThreadPool& pool) {
  const size_t first = coded_rows_;
  const size_t bands = (count + kSketchRows - 1) / kSketchRows;
  coded_rows_ = std::min(weights_.rows, first + bands * kSketchRows);
  constexpr size_t kStep = 64;
  static_assert(kStep % kSketchRows == 0);
  const auto* weights = static_cast<const int8_t*>(weights_.data);
  pool.ParallelFor((coded_rows_ - first + kStep - 1) / kStep, [&](size_t index, int) {
    const size_t begin = first + index * kStep;
    for (size_t n = begin; n < std::min(begin + kStep, coded_rows_); ++n) {
      uint8_t* band = bands_.get() + n / kSketchRows * SketchBandBytes(parts_);
      if (n % kSketchRows == 0) std::memset(band, 0, SketchBandBytes(parts_));
      ActiveKernels().sketch_row(weights + n * weights_.columns, weights_.columns,
                                 weights_.scales[n], n % kSketchRows, band);
    }
  });
  if (complete()) Summarize();
}

void Sketch::Summarize() {
  double error = 0;
  double largest = 0;
  for (size_t n = 0; n < weights_.rows; ++n) {
    const uint8_t* band = bands_.get() + n / kSketchRows * SketchBandBytes(parts_);
    const SketchFacts* facts = SketchFactsOf(band, parts_);
    if (!std::isfinite(facts->error[n % kSketchRows])) continue;
    error += facts->error[n % kSketchRows];
    largest += facts->largest_error[n % kSketchRows];
  }
  largest_per_error_ = error > 0 ? static_cast<float>(largest / error) : 0.0f;
}

SketchInput Sketch::Cut(const QuantizedRows& x) const {
  const RowCoding coding = x.codings()[0];
  std::array<uint32_t, 256> counts = {};  // Of each |code - zero point|.
  for (size_t i = 0; i < x.columns(); ++i) ++counts[std::abs(x.codes()[i] - coding.zero_point)];
  double rest = 0;
  for (size_t size = 0; size < counts.size(); ++size) {
    rest += static_cast<double>(counts[size]) * static_cast<double>(size * size);
  }
  double outliers = 0;
  SketchInput input{x.codes(), coding, 0, static_cast<float>(std::sqrt(rest))};
  double least = std::sqrt(rest);
  for (size_t size = counts.size(); size-- > 1;) {
    outliers += static_cast<double>(counts[size]) * static_cast<double>(size);
    rest -= static_cast<double>(counts[size]) * static_cast<double>(size * size);
    const double bound = std::sqrt(rest) + largest_per_error_ * outliers;
    if (bound >= least) continue;
    least = bound;
    input.outliers = static_cast<float>(outliers);
    input.rest = static_cast<float>(std::sqrt(rest));
  }
  return input;
}

size_t MatMulHighest(const QuantizedRows& x, const Product& product, const Sketch& sketch,
                     size_t rows, size_t best, ThreadPool& pool) {
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  const KernelTable& kernels = ActiveKernels();
  const SketchView view = sketch.view();
  const SketchInput input = sketch.Cut(x);
  const Blocks blocks(rows, best, static_cast<size_t>(pool.threads()));
  const DynamicArgs args{1,       x.codes(), x.stride(),      x.codings(), product.weights,
                         nullptr, product.y, product.y_stride};
  const size_t memory_bytes = kernels.dynamic_panel(product.weights).bytes;
  const auto compute = [&](size_t output, int worker) {
    kernels.dynamic(args, {0, 1}, {output, output + 1}, {pool.Scratch(worker, memory_bytes)});
  };
  float* y = product.y;

  // At first y holds bounds, and the right product where a block's bound is highest.
  std::vector<float> highest(blocks.count());
  pool.ParallelFor(blocks.count(), [&](size_t i, int worker) {
    const size_t row = kernels.sketch_bounds(view, input, blocks[i], y);
    compute(row, worker);
    highest[i] = y[row];
  });

  // As many products reach this as are wanted.
  float reached = kNone;
  if (best <= highest.size() && IsUsualScale(input.coding.scale)) {
    for (float& value : highest) value = value > kNone ? value : kNone;  // No NaN.
    const auto last = highest.begin() + static_cast<std::ptrdiff_t>(best - 1);
    std::nth_element(highest.begin(), last, highest.end(), std::greater());
    reached = *last;
  }

  std::vector<size_t> computed(blocks.count());
  pool.ParallelFor(blocks.count(), [&](size_t i, int worker) {
    const Range block = blocks[i];
    for (size_t n = block.begin; n < block.end; n += kScanned) {
      const size_t end = std::min(n + kScanned, block.end);
      if (end - n == kScanned && AllBelow(y + n, reached)) {
        std::fill(y + n, y + end, kNone);
        continue;
      }
      for (size_t k = n; k < end; ++k) {
        if (y[k] < reached) {
          y[k] = kNone;
        } else {
          compute(k, worker);
          ++computed[i];
        }
      }
    }
  });
  std::fill(y + rows, y + product.weights.rows, kNone);
  return std::accumulate(computed.begin(), computed.end(), size_t{0});
}

}  // namespace litertlm
