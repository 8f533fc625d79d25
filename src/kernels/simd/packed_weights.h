// A panel of weights that was rearranged for products of many rows.
#ifndef LITERTLM_KERNELS_SIMD_PACKED_WEIGHTS_H_
#define LITERTLM_KERNELS_SIMD_PACKED_WEIGHTS_H_

#include "kernels/kernel_table.h"
#include "kernels/simd/pack.h"

namespace litertlm {

/// Up to kStrips strips of kStripOutputs outputs, each strip the weights of all columns:
/// [strips, columns / 4, V::kVectors, V::kLanes, 4] bytes in memory of the caller. What is beyond
/// the last output and the last column is 0.
template <typename V, typename Weights, size_t kStrips>
class PackedWeights {
  static constexpr size_t kLanes = V::kLanes;

 public:
  static constexpr size_t kStripOutputs = kLanes * V::kVectors;
  static constexpr size_t kOutputs = kStrips * kStripOutputs;
  static constexpr size_t kStep = V::kVectors * V::kBytes;  ///< Bytes of four columns of a strip.

  static size_t MemoryBytes(const WeightMatrix& w) {
    return kOutputs * PaddedColumns<V>(w.columns);
  }

  PackedWeights(const WeightMatrix& w, std::byte* memory)
      : columns_(PaddedColumns<V>(w.columns)), bytes_(reinterpret_cast<int8_t*>(memory)) {}

  /// Says which outputs the panel has: those from `output` on, `left` of them at most.
  void Take(size_t output, size_t left) {
    output_ = output;
    count_ = left < kOutputs ? left : kOutputs;
  }

  /// Packs the weights of the outputs of vector `v`, one of vectors().
  void PackVector(const WeightMatrix& w, size_t v) {
    PackRows<V, Weights>(w, output_ + v * kLanes, Live(v), Vector(v), kStep);
  }

  size_t columns() const { return columns_; }    ///< Padded.
  size_t steps() const { return columns_ / 4; }  ///< Of kStep bytes, in a strip.
  size_t output() const { return output_; }
  size_t strips() const { return (count_ + kStripOutputs - 1) / kStripOutputs; }
  size_t vectors() const { return strips() * V::kVectors; }
  /// How many of the outputs of vector `v` there are.
  size_t Live(size_t v) const {
    const size_t first = v * kLanes;
    return first >= count_ ? 0 : count_ - first < kLanes ? count_ - first : kLanes;
  }
  int8_t* Strip(size_t strip) const { return bytes_ + strip * kStripOutputs * columns_; }
  /// The first step of vector `v`; the next is kStep bytes further.
  int8_t* Vector(size_t v) const { return Strip(v / V::kVectors) + v % V::kVectors * V::kBytes; }

 private:
  size_t columns_;
  int8_t* bytes_;
  size_t output_ = 0;
  size_t count_ = 0;
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_PACKED_WEIGHTS_H_
