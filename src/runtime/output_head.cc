#include "runtime/output_head.h"

#include <algorithm>
#include <limits>
#include <new>

namespace litertlm {
namespace {

/// Of these no part of a sketch is made: a classification or the like would be over before it paid.
constexpr size_t kTokensBefore = 8;
/// So many tokens share the work of making it, so that none takes noticeably longer.
constexpr size_t kTokensMeanwhile = 32;
/// More wanted logits than this share of all make too many candidates.
constexpr size_t kRowsPerWanted = 256;
/// If a tenth has to be computed with the weights themselves, reading all is as fast: processors
/// read on behind each row that is wanted.
constexpr size_t kMostComputed = 10;
constexpr size_t kTokensWithout = 64;  ///< After that.
constexpr size_t kMostInVain = 4;      ///< After so many times in a row it is given up.

}  // namespace

void OutputHead::Compute(const QuantizedRows& x, const Product& product, ThreadPool& pool) {
  if (!ComputeHighest(x, product, pool)) MatMulDynamic(x, product, pool);
}

bool OutputHead::ComputeHighest(const QuantizedRows& x, const Product& product, ThreadPool& pool) {
  const WeightMatrix& w = product.weights;
  const size_t rows = std::min(wanted_.first, w.rows);
  if (wanted_.best == 0 || wanted_.best > rows / kRowsPerWanted || x.rows() != 1 ||
      product.bias != nullptr || w.rows * w.columns < least_bytes_ || !Sketch::IsPossible(w)) {
    return false;
  }
  if (without_ > 0) {
    --without_;
    return false;
  }
  if (!sketch_ || !sketch_->complete()) {
    if (++tokens_ <= kTokensBefore) return false;
    try {
      if (!sketch_) sketch_.emplace(w);
    } catch (const std::bad_alloc&) {  // It is only a wish.
      GiveUp();
      return false;
    }
    sketch_->CodeRows((w.rows + kTokensMeanwhile - 1) / kTokensMeanwhile, pool);
    return false;
  }
  const size_t computed = MatMulHighest(x, product, *sketch_, rows, wanted_.best, pool);
  const size_t read = sketch_->bytes() + computed * w.columns;
  unread_bytes_ += w.rows * w.columns - std::min(w.rows * w.columns, read);
  if (computed <= rows / kMostComputed) {
    in_vain_ = 0;
    return true;
  }
  without_ = kTokensWithout;
  if (++in_vain_ == kMostInVain) GiveUp();
  return true;
}

void OutputHead::GiveUp() {
  sketch_.reset();
  without_ = std::numeric_limits<size_t>::max();
}

}  // namespace litertlm
