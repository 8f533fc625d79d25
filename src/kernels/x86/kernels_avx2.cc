#include "kernels/simd/kernels.h"
#include "kernels/x86/tables.h"
#include "kernels/x86/vec_avx2.h"

namespace litertlm {

const KernelTable kAvx2Kernels = Kernels<Avx2>::Table("avx2");

}  // namespace litertlm
