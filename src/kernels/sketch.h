// The highest products of a large matrix with one row of activations, without reading all of its
// weights.
//
// A token costs as much as the weights take to be read, and in small models most of them are those
// of the output head, of whose products (logits) only the highest matter. A sketch holds the matrix
// again in five eighths of its bytes: q ≈ u * l, a unit u for each row and 32 levels l. It gives
// each product up to an error that is bounded: with r = q - u l and activations x, cut into the few
// outliers among them and the rest,
//
//     |Σ r x| <= max|r| * Σ|outliers| + ‖r‖ * ‖rest‖       (Hölder, and Cauchy and Schwarz)
//
// Whatever may be among the highest by that bound is computed with the weights themselves: the
// choice is exact, whatever the weights and activations are.
#ifndef LITERTLM_KERNELS_SKETCH_H_
#define LITERTLM_KERNELS_SKETCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/thread_pool.h"
#include "kernels/matmul.h"
#include "kernels/sketch_view.h"

namespace litertlm {

class Sketch {
 public:
  /// Whether a matrix can have one: kI8 with a scale for each row, of an even number of columns,
  /// at most kMaxDynamicColumns.
  static bool IsPossible(const WeightMatrix& weights);

  /// Of no row as yet. `weights` must outlive it. Throws std::bad_alloc.
  explicit Sketch(const WeightMatrix& weights);

  /// Codes the next `count` rows, or a few more.
  void CodeRows(size_t count, ThreadPool& pool);
  bool complete() const { return coded_rows_ == weights_.rows; }

  size_t bytes() const;
  SketchView view() const { return {bands_.get(), parts_}; }
  /// Cuts the first row of `x` so that bounds become as low as they can for the usual row of
  /// weights.
  SketchInput Cut(const QuantizedRows& x) const;

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  void Summarize();

  WeightMatrix weights_;
  size_t parts_;  ///< Of a row.
  size_t coded_rows_ = 0;
  float largest_per_error_ = 0;  ///< largest_error / error of the usual row.
  std::unique_ptr<uint8_t[], Free> bands_;
};

/// Of the first `rows` products of `product`, whose weights `sketch` is of, computes the `best`
/// highest, and all that equal one of them: the numbers that MatMulDynamic gives. The others may be
/// right as well, or minus infinity. `x` has one row; the sketch is complete; there is no bias;
/// `best` is at least 1. Returns how many products were computed with the weights themselves.
size_t MatMulHighest(const QuantizedRows& x, const Product& product, const Sketch& sketch,
                     size_t rows, size_t best, ThreadPool& pool);

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SKETCH_H_
