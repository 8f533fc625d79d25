// Reading ahead for kernels that pack panels of weights.
#ifndef LITERTLM_KERNELS_SIMD_NEXT_PANEL_H_
#define LITERTLM_KERNELS_SIMD_NEXT_PANEL_H_

#include "kernels/kernel_table.h"

namespace litertlm {

/// The weights of the next panel, asked for while this one is used. Packing reads the same columns
/// of many rows, where the hardware sees no stream, and would wait for memory half of its time.
/// They are asked for in small portions: many at once would hold up the products as well.
template <typename Weights>
class NextPanel {
 public:
  NextPanel() = default;
  /// Of `outputs` outputs of `w` from `first` on, as far as there are any, in about so many
  /// portions.
  NextPanel(const WeightMatrix& w, size_t first, size_t outputs, size_t portions) {
    if (first >= w.rows) return;
    const size_t end = w.rows - first < outputs ? w.rows : first + outputs;
    next_ = Weights::Row(w, first);
    end_ = Weights::Row(w, end);
    const size_t lines = (static_cast<size_t>(end_ - next_) + kLine - 1) / kLine;
    portion_ = (lines + portions - 1) / portions * kLine;
  }

  [[gnu::always_inline]] void AskForPortion() {
    for (size_t i = 0; i < portion_ && next_ < end_; i += kLine, next_ += kLine) {
      __builtin_prefetch(next_, 0, 2);  // Into the second-level cache.
    }
  }

 private:
  static constexpr size_t kLine = 64;

  const uint8_t* next_ = nullptr;
  const uint8_t* end_ = nullptr;
  size_t portion_ = 0;  ///< Bytes.
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_NEXT_PANEL_H_
