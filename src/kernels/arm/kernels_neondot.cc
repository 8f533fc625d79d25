#include "kernels/arm/tables.h"
#include "kernels/arm/vec_neon.h"
#include "kernels/simd/kernels.h"

namespace litertlm {

const KernelTable kNeonDotKernels = Kernels<Neon>::Table("neondot");

}  // namespace litertlm
