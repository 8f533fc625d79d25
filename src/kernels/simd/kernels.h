// A whole kernel table made from a vector type.
#ifndef LITERTLM_KERNELS_SIMD_KERNELS_H_
#define LITERTLM_KERNELS_SIMD_KERNELS_H_

#include "kernels/kernel_table.h"
#include "kernels/scalar/scalar_kernels.h"
#include "kernels/simd/dynamic_panel.h"
#include "kernels/simd/dynamic_stream.h"
#include "kernels/simd/quantize.h"

namespace litertlm {

inline constexpr size_t kStreamingRows = 4;

template <typename V, typename Weights>
void DynamicFor(const DynamicArgs& args, Range rows, Range outputs, std::byte* scratch) {
  if (rows.end - rows.begin <= kStreamingRows) {
    StreamRows<V, Weights>(args, rows, outputs);
  } else {
    DynamicPanel<V, Weights>::Run(args, rows, outputs, scratch);
  }
}

template <typename V>
void Dynamic(const DynamicArgs& args, Range rows, Range outputs, std::byte* scratch) {
  const WeightMatrix& w = args.w;
  if (w.dtype == DType::kI8 && w.block == 0) {
    DynamicFor<V, Int8Weights<V>>(args, rows, outputs, scratch);
  } else if (w.dtype == DType::kI4 && w.block == 0 && w.columns % 2 == 0) {
    DynamicFor<V, Int4Weights<V>>(args, rows, outputs, scratch);
  } else {
    DynamicScalar(args, rows, outputs, scratch);
  }
}

template <typename V>
size_t NoScratchBytes(const WeightMatrix&) {
  return 0;
}

template <typename V>
constexpr KernelTable MakeKernels(const char* name) {
  return {
      .name = name,
      .quantize_row = QuantizeRow<V>,
      .dynamic = Dynamic<V>,
      .floating = FloatingScalar,
      .dynamic_scratch_bytes = DynamicPanel<V, Int8Weights<V>>::ScratchBytes,
      .floating_scratch_bytes = NoScratchBytes<V>,
      .panel_outputs = DynamicPanel<V, Int8Weights<V>>::kOutputs,
      .streaming_rows = kStreamingRows,
  };
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_KERNELS_H_
