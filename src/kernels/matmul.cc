#include "kernels/matmul.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "kernels/kernel_table.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr size_t kAlignment = 64;
/// The least weights that an index of a streaming loop covers.
constexpr size_t kLeastStreamedBytes = size_t{32} << 10;
/// Outputs of which two threads do not share a line.
constexpr size_t kLineOutputs = kAlignment / sizeof(float);
/// The most that a thread reads ahead while it waits: half of the second-level cache of Zen 5.
constexpr size_t kReadWhileWaiting = size_t{512} << 10;
/// Products of two numbers in an index of a loop over panels: about 50 microseconds.
constexpr size_t kIndexProducts = size_t{16} << 20;
/// Rows of such an index: fewer are not worth the panel, and this many are whole tiles.
constexpr size_t kLeastRows = 48;
constexpr size_t kRowMultiple = 12;

size_t RoundUp(size_t value, size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

void CheckDynamic(const QuantizedRows& x, const WeightMatrix& w) {
  const bool integer = w.dtype == DType::kI8 || w.dtype == DType::kI4 || w.dtype == DType::kI2;
  if (!integer || x.columns() != w.columns || w.columns > kMaxDynamicColumns || w.block % 32 != 0 ||
      (w.block != 0 && w.columns % w.block != 0)) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("a product of {} coded activations with a matrix of {} [{}, {}] in "
                            "blocks of {} is not possible",
                            x.columns(), Info(w.dtype).name, w.rows, w.columns, w.block));
  }
}

/// How the outputs of several products, one after the other, are cut into the indices of one loop
/// that streams their weights. Each thread has a part of its own, of which an index is half of what
/// is left: few, because taking one is an atomic instruction, which waits for every read that is
/// under way; and at last small, because threads end a loop together only if what they take last
/// is short.
class StreamedCut {
 public:
  StreamedCut(std::span<const Product> products, size_t threads) : threads_(threads) {
    size_t bytes = 0;
    for (const Product& product : products) {
      const WeightMatrix& w = product.weights;
      outputs_ += w.rows;
      bytes += w.rows * BytesFor(w.dtype, w.columns);
    }
    if (threads == 1) return;
    if (bytes < threads * kLeastStreamedBytes) threads_ = 1;
    for (size_t part = bytes / threads_; part >= 2 * kLeastStreamedBytes; part /= 2) ++indices_;
  }

  size_t Count() const { return threads_ * indices_; }

  /// The first index of a thread.
  size_t First(size_t thread) const { return std::min(thread, threads_ - 1) * indices_; }

  /// Outputs of an index, counted through all products.
  Range Outputs(size_t index) const {
    const size_t part = index / indices_;
    const size_t begin = outputs_ * part / threads_;
    const size_t length = outputs_ * (part + 1) / threads_ - begin;
    const size_t halved = index % indices_;
    return {begin + Gone(length, halved), begin + Gone(length, halved + 1)};
  }

 private:
  /// Outputs of a part of `length` that the first `indices` have.
  size_t Gone(size_t length, size_t indices) const {
    if (indices == indices_) return length;
    const size_t gone = length - (length >> indices);
    return gone / kLineOutputs * kLineOutputs;
  }

  size_t threads_;
  size_t indices_ = 1;  ///< Of each thread.
  size_t outputs_ = 0;
};

/// The weights of `output`, counted through all products, and what lies behind them in the same
/// matrix, at most `most` bytes.
std::span<const std::byte> WeightsFrom(std::span<const Product> products, size_t output,
                                       size_t most) {
  for (const Product& product : products) {
    const WeightMatrix& w = product.weights;
    if (output < w.rows) {
      const std::span all(static_cast<const std::byte*>(w.data),
                          BytesFor(w.dtype, w.rows * w.columns));
      const auto behind = all.subspan(BytesFor(w.dtype, output * w.columns));
      return behind.first(std::min(most, behind.size()));
    }
    output -= w.rows;
  }
  return {};
}

/// How the outputs of a product with many rows are cut into indices.
struct PanelCut {
  size_t outputs = 0;  ///< Of one index.
  size_t output_parts = 0;
  size_t row_step = 0;  ///< The last part of the rows has half a step more or less.
  size_t row_parts = 0;
  bool stays = false;  ///< An index finds its panel packed if the one before had other rows of it.

  size_t Count() const { return output_parts * row_parts; }
  Range Rows(size_t part, size_t rows) const {
    return {part * row_step, part + 1 < row_parts ? (part + 1) * row_step : rows};
  }
};

/// The rows of a panel are cut so that an index is short: threads end a loop together only if what
/// they take last is short beside what delays one of them, be it a timer.
PanelCut CutPanels(const Panel& panel, const WeightMatrix& w, size_t rows, size_t threads) {
  PanelCut cut{panel.outputs, (w.rows + panel.outputs - 1) / panel.outputs, rows, 1, panel.stays};
  if (threads == 1) return cut;
  size_t step = rows;
  if (panel.stays) {
    step = kIndexProducts / std::max<size_t>(1, panel.outputs * w.columns);
  } else if (cut.output_parts < 2 * threads) {  // Each part packs the panel.
    step = rows * cut.output_parts / (2 * threads);
  }
  cut.row_step = RoundUp(std::max(step, kLeastRows), kRowMultiple);
  cut.row_parts = std::max<size_t>(1, (rows + cut.row_step / 2) / cut.row_step);
  return cut;
}

/// What a worker notes from one index to the next. In a line of its own: two cores that write to
/// one line take it from each other at every index.
struct alignas(kAlignment) PanelWorker {
  static constexpr size_t kNothing = ~size_t{0};
  size_t packed = kNothing;  ///< The first index of the panel that lies in its memory.
  LinesToWrite lines;
};

std::vector<PanelWorker> PanelWorkers(size_t threads, std::span<std::byte> written_next) {
  std::vector<PanelWorker> workers(threads);
  if (threads == 1) return workers;  // Nobody else has read there.
  for (size_t i = 0; i < threads; ++i) {
    const auto part = [&](size_t thread) {
      return written_next.data() + written_next.size() * thread / threads / kAlignment * kAlignment;
    };
    workers[i].lines = {part(i), part(i + 1)};
  }
  return workers;
}

using PanelOf = Panel (*)(const WeightMatrix&);

/// Calls `kernel(product, rows, outputs, memory)` for all outputs, few rows at once.
template <typename Kernel>
void RunStreamed(std::span<const Product> products, size_t rows, PanelOf panel_of, ThreadPool& pool,
                 const Kernel& kernel) {
  size_t bytes = 0;
  for (const Product& p : products) bytes = std::max(bytes, panel_of(p.weights).bytes);
  const StreamedCut cut(products, static_cast<size_t>(pool.threads()));
  pool.ParallelFor(cut.Count(), [&](size_t index, int worker) {
    const Range outputs = cut.Outputs(index);
    const PanelMemory memory{pool.Scratch(worker, bytes)};
    size_t first = 0;  // Output of the product.
    for (const Product& product : products) {
      const size_t end = first + product.weights.rows;
      const Range some{std::max(outputs.begin, first), std::min(outputs.end, end)};
      if (some.begin < some.end) {
        kernel(product, Range{0, rows}, Range{some.begin - first, some.end - first}, memory);
      }
      first = end;
    }
  });
}

/// The same for many rows, some at a time.
template <typename Kernel>
void RunPanels(std::span<const Product> products, size_t rows, PanelOf panel_of, ThreadPool& pool,
               std::span<std::byte> written_next, const Kernel& kernel) {
  const auto threads = static_cast<size_t>(pool.threads());
  std::vector<PanelCut> cuts;
  cuts.reserve(products.size());
  size_t count = 0;
  size_t bytes = 0;
  for (const Product& product : products) {
    const Panel panel = panel_of(product.weights);
    cuts.push_back(CutPanels(panel, product.weights, rows, threads));
    count += cuts.back().Count();
    bytes = std::max(bytes, panel.bytes);
  }
  std::vector<PanelWorker> workers = PanelWorkers(threads, written_next);
  pool.ParallelFor(count, [&](size_t index, int worker) {
    size_t product = 0;
    size_t first = 0;  // Index of the product.
    for (; index >= first + cuts[product].Count(); ++product) first += cuts[product].Count();
    const PanelCut& cut = cuts[product];
    const size_t row_part = (index - first) % cut.row_parts;
    const size_t output = (index - first) / cut.row_parts * cut.outputs;
    const size_t panel = index - row_part;
    const bool stayed = workers[worker].packed == panel;
    workers[worker].packed = cut.stays ? panel : PanelWorker::kNothing;
    kernel(products[product], cut.Rows(row_part, rows),
           Range{output, std::min(products[product].weights.rows, output + cut.outputs)},
           PanelMemory{pool.Scratch(worker, bytes), stayed, &workers[worker].lines});
  });
}

template <typename Kernel>
void RunProducts(std::span<const Product> products, size_t rows, PanelOf panel_of, ThreadPool& pool,
                 std::span<std::byte> written_next, const Kernel& kernel) {
  if (rows <= ActiveKernels().streaming_rows) {
    RunStreamed(products, rows, panel_of, pool, kernel);
  } else {
    RunPanels(products, rows, panel_of, pool, written_next, kernel);
  }
}

}  // namespace

void QuantizedRows::Free::operator()(void* memory) const {
  ::operator delete (memory, std::align_val_t{kAlignment});
}

void QuantizedRows::Resize(size_t rows, size_t columns) {
  rows_ = rows;
  columns_ = columns;
  // An odd number of cache lines: rows whose starts are powers of two apart would compete for the
  // same few places in the cache.
  stride_ = RoundUp(columns, 2 * kAlignment) + kAlignment;
  if (rows * stride_ > code_capacity_) {
    codes_.reset(
        static_cast<uint8_t*>(::operator new (rows* stride_, std::align_val_t{kAlignment})));
    code_capacity_ = rows * stride_;
  }
  if (rows > row_capacity_) {
    codings_ = std::make_unique<RowCoding[]>(rows);
    row_capacity_ = rows;
  }
}

void QuantizedRows::Code(size_t row, const float* x) {
  uint8_t* codes = codes_.get() + row * stride_;
  ActiveKernels().quantize_row(x, columns_, codes, &codings_[row]);
  std::memset(codes + columns_, 0, stride_ - columns_);
}

void QuantizedRows::Quantize(const float* x, size_t rows, size_t columns, size_t stride,
                             ThreadPool& pool) {
  Resize(rows, columns);
  const auto quantize = [&](size_t row, int) { Code(row, x + row * stride); };
  constexpr size_t kLeastParallel = 8;  // Waking a thread costs more than coding a few rows.
  if (rows < kLeastParallel) {
    for (size_t row = 0; row < rows; ++row) quantize(row, 0);
  } else {
    pool.ParallelFor(rows, quantize);
  }
}

void MatMulDynamic(const QuantizedRows& x, std::span<const Product> products, ThreadPool& pool,
                   std::span<std::byte> written_next) {
  for (const Product& product : products) CheckDynamic(x, product.weights);
  const KernelTable& kernels = ActiveKernels();
  RunProducts(products, x.rows(), kernels.dynamic_panel, pool, written_next,
              [&](const Product& p, Range rows, Range outputs, PanelMemory memory) {
                kernels.dynamic({x.rows(), x.codes(), x.stride(), x.codings(), p.weights, p.bias,
                                 p.y, p.y_stride},
                                rows, outputs, memory);
              });
}

void MatMulFloat(const float* x, size_t rows, size_t x_stride, std::span<const Product> products,
                 ThreadPool& pool) {
  const KernelTable& kernels = ActiveKernels();
  RunProducts(
      products, rows, kernels.floating_panel, pool, {},
      [&](const Product& p, Range part, Range outputs, PanelMemory memory) {
        kernels.floating({x, x_stride, p.weights, p.bias, p.y, p.y_stride}, part, outputs, memory);
      });
}

void ReadWeightsWhileWaiting(size_t rows, std::span<const Product> products, ThreadPool& pool) {
  if (pool.threads() == 1) return;
  const bool few = rows <= ActiveKernels().streaming_rows;
  const StreamedCut cut(products, static_cast<size_t>(pool.threads()));
  for (int worker = 0; worker < pool.threads(); ++worker) {
    const size_t first = cut.First(static_cast<size_t>(worker));
    pool.ReadWhileWaiting(worker,
                          few ? WeightsFrom(products, cut.Outputs(first).begin, kReadWhileWaiting)
                              : std::span<const std::byte>());
  }
}

}  // namespace litertlm
