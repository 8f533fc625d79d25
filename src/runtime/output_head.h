// The product that makes logits, where only the highest of them are wanted.
#ifndef LITERTLM_RUNTIME_OUTPUT_HEAD_H_
#define LITERTLM_RUNTIME_OUTPUT_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kernels/sketch.h"
#include "runtime/language_model.h"

namespace litertlm {

/// Computes all products, or the highest through a sketch of the matrix (kernels/sketch.h). That is
/// made part by part while the first tokens of a reply are computed. It takes five eighths of the
/// matrix in memory, so that there is one only of matrices that take long to read.
class OutputHead {
 public:
  /// Smaller matrices than `least_bytes` get no sketch.
  explicit OutputHead(size_t least_bytes) : least_bytes_(least_bytes) {}

  /// Of the product that follows.
  void Want(const LogitsWanted& wanted) { wanted_ = wanted; }

  /// Computes one row of `product`, which is always the same one.
  void Compute(const QuantizedRows& x, const Product& product, ThreadPool& pool);

  /// Bytes of weights that did not have to be read so far.
  uint64_t unread_bytes() const { return unread_bytes_; }

 private:
  /// False: all have to be computed.
  bool ComputeHighest(const QuantizedRows& x, const Product& product, ThreadPool& pool);

  void GiveUp();

  size_t least_bytes_;
  LogitsWanted wanted_;
  std::optional<Sketch> sketch_;
  uint64_t unread_bytes_ = 0;
  size_t tokens_ = 0;   ///< For which a sketch would have done.
  size_t without_ = 0;  ///< So many of the next ones are computed without it: it did not pay.
  size_t in_vain_ = 0;  ///< Times in a row that it did not.
};

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_OUTPUT_HEAD_H_
