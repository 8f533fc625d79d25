#include "kernels/scalar/scalar_kernels.h"

#include "kernels/scalar/rows.h"

namespace litertlm {

const KernelTable& ScalarKernels() {
  static constexpr KernelTable kTable = {
      .name = "scalar",
      .quantize_row = QuantizeRowScalar,
      .dynamic = DynamicScalar,
      .floating = FloatingScalar,
      .dynamic_panel =
          [](const WeightMatrix& w) {
            return Panel{16, w.columns, false};
          },
      .floating_panel =
          [](const WeightMatrix&) {
            return Panel{16, 0, false};
          },
      .add = AddScalar,
      .rms_norm = scalar::RmsNorm,
      .softmax = scalar::Softmax,
      .silu_mul = SiluMulScalar,
      .gelu_tanh_mul = GeluTanhMulScalar,
      .rope = RopeScalar,
      .to_f16 = ToF16Scalar,
      .to_i8 = ToI8Scalar,
      .sketch_row = SketchRowScalar,
      .sketch_bounds = SketchBoundsScalar,
      .sketch_pays = false,
      .attention = AttentionScalar,
      .attention_scratch_bytes = AttentionScalarScratchBytes,
      .attention_queries = 16,
      .streaming_rows = 4,
  };
  return kTable;
}

}  // namespace litertlm
