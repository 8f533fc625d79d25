// Products with a weight matrix: y[m, n] = x[m, k] · W[n, k]ᵀ + bias[n].
//
// Weights are used as they lie in the file: row-major [n, k], mapped, read in place, aligned to
// their element only. Nothing is packed ahead of time; what a kernel repacks lives in the pool's
// scratch memory during one call.
#ifndef LITERTLM_KERNELS_MATMUL_H_
#define LITERTLM_KERNELS_MATMUL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/dtype.h"
#include "base/thread_pool.h"

namespace litertlm {

/// A view of a weight matrix. The caller has checked that `data` holds rows * columns elements and
/// that the scales have the stated counts, and keeps both alive.
struct WeightMatrix {
  /// kF32, kF16, kBF16, kI8, kI4 or kI2. The integers are symmetric, two's complement.
  DType dtype = DType::kF32;
  const void* data = nullptr;
  size_t rows = 0;     ///< n, the outputs.
  size_t columns = 0;  ///< k, the inputs.
  /// Scales of an integer matrix: one for all rows or one for each.
  const float* scales = nullptr;
  size_t scale_count = 0;
  /// Instead of `scales`: f16 [rows, columns / block], each for `block` values of a row. As
  /// XNNPACK does, a product with coded activations uses them rounded to bf16.
  const uint16_t* block_scales = nullptr;
  size_t block = 0;
};

/// How one row of activations was coded: x ≈ scale * (code - zero_point).
struct RowCoding {
  float scale = 0;
  int32_t zero_point = 0;  ///< 0…255
};

/// Activations coded row by row to 8 bits: the range of the row, widened to hold 0, is spread over
/// the 255 steps from 0 to 255. These are XNNPACK's qd8 codes and zero points, bit for bit, with
/// 128 added to both: unsigned, as x86 instructions multiply them. Keep one and code into it again:
/// the memory is reused. One writer at a time, any readers.
class QuantizedRows {
 public:
  /// Makes room for rows, whose content is then undefined until each has been coded.
  void Resize(size_t rows, size_t columns);
  /// Codes one row of `columns()` values. Different rows may be coded at the same time.
  void Code(size_t row, const float* x);
  /// Codes `rows` rows of `columns` values that start `stride` floats apart.
  void Quantize(const float* x, size_t rows, size_t columns, size_t stride, ThreadPool& pool);

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  /// Bytes between the starts of rows; a multiple of 64; each row is followed by zeros.
  size_t stride() const { return stride_; }
  const uint8_t* codes() const { return codes_.get(); }
  /// Where the codes of all rows are.
  std::span<std::byte> memory() {
    return {reinterpret_cast<std::byte*>(codes_.get()), rows_ * stride_};
  }
  const RowCoding* codings() const { return codings_.get(); }

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  size_t rows_ = 0;
  size_t columns_ = 0;
  size_t stride_ = 0;
  size_t code_capacity_ = 0;
  size_t row_capacity_ = 0;
  std::unique_ptr<uint8_t[], Free> codes_;
  std::unique_ptr<RowCoding[]> codings_;
};

/// One product: where its matrix is, what is added, and where the result goes.
struct Product {
  WeightMatrix weights;
  const float* bias = nullptr;  ///< [n], or null for none.
  float* y = nullptr;           ///< [m, n]
  size_t y_stride = 0;          ///< Floats between the starts of rows of y.
};

/// The longest row of a product with integer activations: its sums stay within 32 bits.
inline constexpr size_t kMaxDynamicColumns = 65536;

/// Multiplies coded activations with integer weights (kI8, kI4, kI2): products are summed exactly
/// in int32; then y = float(sum) * row scale * weight scale + bias, in this order. With block
/// scales the sum of each block is scaled and added up in float.
/// All products share the activations and one parallel loop. `written_next` is memory of which each
/// thread will then write its part, in the order of threads: products of many rows get hold of it.
/// Throws kUnsupported for other types, rows longer than kMaxDynamicColumns or blocks that are no
/// multiple of 32.
void MatMulDynamic(const QuantizedRows& x, std::span<const Product> products, ThreadPool& pool,
                   std::span<std::byte> written_next = {});

/// Multiplies float activations [rows, columns], rows `x_stride` floats apart, with weights of any
/// type, widened (and scaled) on the fly.
void MatMulFloat(const float* x, size_t rows, size_t x_stride, std::span<const Product> products,
                 ThreadPool& pool);

/// Has threads that wait read the first of the weights that they will need for the products after
/// the next ones, which are of `rows` rows: MatMul reads few rows' weights as they lie in memory.
void ReadWeightsWhileWaiting(size_t rows, std::span<const Product> products, ThreadPool& pool);

inline void MatMulDynamic(const QuantizedRows& x, const Product& product, ThreadPool& pool) {
  MatMulDynamic(x, std::span(&product, 1), pool);
}
inline void MatMulFloat(const float* x, size_t rows, size_t x_stride, const Product& product,
                        ThreadPool& pool) {
  MatMulFloat(x, rows, x_stride, std::span(&product, 1), pool);
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_MATMUL_H_
