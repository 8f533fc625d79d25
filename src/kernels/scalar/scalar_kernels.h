// The plain definitions that every faster kernel is tested against, and falls back to for rare
// shapes.
#ifndef LITERTLM_KERNELS_SCALAR_SCALAR_KERNELS_H_
#define LITERTLM_KERNELS_SCALAR_SCALAR_KERNELS_H_

#include "kernels/kernel_table.h"

namespace litertlm {

void QuantizeRowScalar(const float* x, size_t columns, int8_t* codes, RowCoding* coding);
void DynamicScalar(const DynamicArgs& args, Range rows, Range outputs, std::byte* scratch);
void FloatingScalar(const FloatArgs& args, Range rows, Range outputs, std::byte* scratch);

const KernelTable& ScalarKernels();

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SCALAR_SCALAR_KERNELS_H_
