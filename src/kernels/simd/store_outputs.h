// The end of every dynamic product: exact sums become floats, scaled in the order of the scalar
// definition.
#ifndef LITERTLM_KERNELS_SIMD_STORE_OUTPUTS_H_
#define LITERTLM_KERNELS_SIMD_STORE_OUTPUTS_H_

#include "kernels/kernel_table.h"

namespace litertlm {

/// One row's `live` outputs from `output` on.
template <typename V>
void StoreOutputs(const DynamicArgs& args, size_t row, size_t output, size_t live,
                  typename V::I sums) {
  using F = typename V::F;
  const WeightMatrix& w = args.w;
  const F scale = w.scale_count == 1 ? V::SetF(*w.scales) : V::LoadPartF(w.scales + output, live);
  F y = V::Mul(V::Mul(V::ToFloat(sums), V::SetF(args.codings[row].scale)), scale);
  if (args.bias) y = V::Add(y, V::LoadPartF(args.bias + output, live));
  V::StorePartF(args.y + row * args.y_stride + output, y, live);
}

// Internal to the file of one instruction set, like the templates.
static inline void StoreOutput(const DynamicArgs& args, size_t row, size_t output, int32_t sum) {
  const float scale = args.w.scales[args.w.scale_count == 1 ? 0 : output];
  float y = static_cast<float>(sum) * args.codings[row].scale * scale;
  if (args.bias) y += args.bias[output];
  args.y[row * args.y_stride + output] = y;
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_STORE_OUTPUTS_H_
