#include "kernels/simd/kernels.h"
#include "kernels/x86/tables.h"
#include "kernels/x86/vec_sse41.h"

namespace litertlm {

const KernelTable kSse41Kernels = Kernels<Sse41>::Table("sse41");

}  // namespace litertlm
