#include "kernels/simd/kernels.h"
#include "kernels/x86/tables.h"
#include "kernels/x86/vec_avx512.h"

namespace litertlm {

const KernelTable kAvx512VnniKernels = Kernels<Avx512>::Table("avx512vnni");

}  // namespace litertlm
