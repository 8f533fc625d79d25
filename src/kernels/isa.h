// Which instruction set the kernels use.
#ifndef LITERTLM_KERNELS_ISA_H_
#define LITERTLM_KERNELS_ISA_H_

#include <string>

namespace litertlm {

/// "avx512vnni", "neondot", "scalar", …: the best that this processor supports, or what the
/// environment variable LITERTLM_ISA names. Throws kUsage if that cannot run here.
std::string ActiveIsaName();

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_ISA_H_
