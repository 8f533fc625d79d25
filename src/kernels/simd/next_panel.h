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
  /// Of these outputs of `w`, as far as there are any, the share that `rows` have of all rows, in
  /// about so many portions; with each of them one of the lines `to_write`.
  NextPanel(const WeightMatrix& w, Range outputs, Range rows, size_t all_rows, size_t portions,
            LinesToWrite* to_write)
      : to_write_(to_write) {
    if (outputs.begin >= w.rows) return;
    const uint8_t* first = Weights::Row(w, outputs.begin);
    const uint8_t* last = Weights::Row(w, w.rows < outputs.end ? w.rows : outputs.end);
    const size_t lines = (static_cast<size_t>(last - first) + kLine - 1) / kLine;
    const size_t begin = lines * rows.begin / all_rows;
    const size_t end = lines * rows.end / all_rows;
    next_ = first + begin * kLine;
    end_ = first + end * kLine;
    portion_ = (end - begin + portions - 1) / portions * kLine;
  }

  [[gnu::always_inline]] void AskForPortion() {
    for (size_t i = 0; i < portion_ && next_ < end_; i += kLine, next_ += kLine) {
      __builtin_prefetch(next_, 0, 2);  // Into the second-level cache.
    }
    if (to_write_ != nullptr && to_write_->next < to_write_->end) {
      __builtin_prefetch(to_write_->next, 1);
      to_write_->next += kLine;
    }
  }

 private:
  static constexpr size_t kLine = 64;

  const uint8_t* next_ = nullptr;
  const uint8_t* end_ = nullptr;
  size_t portion_ = 0;  ///< Bytes.
  LinesToWrite* to_write_ = nullptr;
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_NEXT_PANEL_H_
