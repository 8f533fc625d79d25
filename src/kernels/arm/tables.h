// The tables of the Arm instruction sets, one per file of this folder.
#ifndef LITERTLM_KERNELS_ARM_TABLES_H_
#define LITERTLM_KERNELS_ARM_TABLES_H_

#include "kernels/kernel_table.h"

namespace litertlm {

extern const KernelTable kNeonDotKernels;

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_ARM_TABLES_H_
