// The tables of the x86 instruction sets, one per file of this folder.
#ifndef LITERTLM_KERNELS_X86_TABLES_H_
#define LITERTLM_KERNELS_X86_TABLES_H_

#include "kernels/kernel_table.h"

namespace litertlm {

extern const KernelTable kAvx512VnniKernels;
extern const KernelTable kAvxVnniKernels;
extern const KernelTable kAvx2Kernels;
extern const KernelTable kSse41Kernels;

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_X86_TABLES_H_
