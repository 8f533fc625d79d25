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
/// Indices of a streaming loop that each thread has as its own part. Taking one is an atomic
/// instruction, which waits for every read that is under way: few. More than one, so that others
/// can take what a thread that comes late or is interrupted has not begun.
constexpr size_t kStreamedIndices = 4;
/// And the least weights that an index covers.
constexpr size_t kLeastStreamedBytes = size_t{16} << 10;

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

/// How the outputs of several products are cut into the indices of one parallel loop.
struct Cut {
  size_t outputs = 0;  ///< Of one index.
  size_t row_step = 0;
  size_t output_parts = 0;
  size_t row_parts = 0;
  size_t Count() const { return output_parts * row_parts; }
};

Cut CutProduct(const KernelTable& kernels, const WeightMatrix& w, size_t rows, int threads) {
  Cut cut;
  cut.row_step = rows;
  cut.row_parts = 1;
  cut.outputs = kernels.panel_outputs;
  if (rows <= kernels.streaming_rows) {
    const size_t row_bytes = std::max<size_t>(1, BytesFor(w.dtype, w.columns));
    const size_t indices = static_cast<size_t>(threads) * kStreamedIndices;
    cut.outputs =
        std::max({size_t{1}, kLeastStreamedBytes / row_bytes, (w.rows + indices - 1) / indices});
  }
  cut.output_parts = (w.rows + cut.outputs - 1) / cut.outputs;
  // With few panels for many threads the rows are cut as well, though each part packs its panel.
  constexpr size_t kLeastRows = 64;
  const size_t wanted = static_cast<size_t>(threads) * 2;
  if (threads > 1 && cut.output_parts < wanted && rows >= 2 * kLeastRows) {
    const size_t parts =
        std::min(rows / kLeastRows, (wanted + cut.output_parts - 1) / cut.output_parts);
    cut.row_step = (rows + parts - 1) / parts;
    cut.row_parts = (rows + cut.row_step - 1) / cut.row_step;
  }
  return cut;
}

/// Runs `kernel(product, rows, outputs, scratch)` over all parts of all products.
template <typename Kernel>
void RunProducts(std::span<const Product> products, size_t rows,
                 size_t (*scratch_bytes)(const WeightMatrix&), ThreadPool& pool,
                 const Kernel& kernel) {
  const KernelTable& kernels = ActiveKernels();
  std::vector<Cut> cuts;
  cuts.reserve(products.size());
  size_t count = 0;
  size_t scratch = 0;
  for (const Product& product : products) {
    cuts.push_back(CutProduct(kernels, product.weights, rows, pool.threads()));
    count += cuts.back().Count();
    scratch = std::max(scratch, scratch_bytes(product.weights));
  }
  pool.ParallelFor(count, [&](size_t index, int worker) {
    size_t product = 0;
    for (; index >= cuts[product].Count(); ++product) index -= cuts[product].Count();
    const Cut& cut = cuts[product];
    const size_t output = index / cut.row_parts * cut.outputs;
    const size_t row = index % cut.row_parts * cut.row_step;
    kernel(products[product], Range{row, std::min(rows, row + cut.row_step)},
           Range{output, std::min(products[product].weights.rows, output + cut.outputs)},
           pool.Scratch(worker, scratch));
  });
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

void MatMulDynamic(const QuantizedRows& x, std::span<const Product> products, ThreadPool& pool) {
  for (const Product& product : products) CheckDynamic(x, product.weights);
  const KernelTable& kernels = ActiveKernels();
  RunProducts(products, x.rows(), kernels.dynamic_scratch_bytes, pool,
              [&](const Product& p, Range rows, Range outputs, std::byte* scratch) {
                kernels.dynamic(
                    {x.codes(), x.stride(), x.codings(), p.weights, p.bias, p.y, p.y_stride}, rows,
                    outputs, scratch);
              });
}

void MatMulFloat(const float* x, size_t rows, size_t x_stride, std::span<const Product> products,
                 ThreadPool& pool) {
  const KernelTable& kernels = ActiveKernels();
  RunProducts(
      products, rows, kernels.floating_scratch_bytes, pool,
      [&](const Product& p, Range part, Range outputs, std::byte* scratch) {
        kernels.floating({x, x_stride, p.weights, p.bias, p.y, p.y_stride}, part, outputs, scratch);
      });
}

}  // namespace litertlm
