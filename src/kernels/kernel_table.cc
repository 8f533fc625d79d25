#include "kernels/kernel_table.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/isa.h"
#include "kernels/scalar/scalar_kernels.h"
#include "litertlm/error.h"
#if defined(__x86_64__)
#include <cpuid.h>

#include "kernels/x86/tables.h"
#elif defined(__aarch64__)
#include <sys/auxv.h>

#include "kernels/arm/tables.h"
#endif

namespace litertlm {
namespace {

#if defined(__x86_64__)
/// Bit 29 of ECX of CPUID leaf 1; Clang 14 has no name for it.
bool HasF16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c >> 29 & 1) != 0;
}

/// Bit 4 of EAX of CPUID leaf 7, sub-leaf 1; GCC 12 has no name for it.
bool HasAvxVnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1) != 0;
}
#endif

bool IsAmd() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_is("amd") != 0;
#else
  return false;
#endif
}

/// Best first.
std::vector<const KernelTable*> Detect() {
  std::vector<const KernelTable*> tables;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi2") && HasF16c();
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vnni")) {
    tables.push_back(&kAvx512VnniKernels);
  }
  if (avx2 && HasAvxVnni()) tables.push_back(&kAvxVnniKernels);
  if (avx2) tables.push_back(&kAvx2Kernels);
  if (__builtin_cpu_supports("sse4.1")) tables.push_back(&kSse41Kernels);
#elif defined(__aarch64__)
  if ((::getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0) tables.push_back(&kNeonDotKernels);
#endif
  tables.push_back(&ScalarKernels());
  tables.push_back(nullptr);
  return tables;
}

const KernelTable& Choose() {
  const char* forced = std::getenv("LITERTLM_ISA");
  return forced && *forced ? KernelsNamed(forced) : *AvailableKernels()[0];
}

}  // namespace

const bool kReadsPastSecondLevel = IsAmd();

const KernelTable* const* AvailableKernels() {
  static const std::vector<const KernelTable*> tables = Detect();
  return tables.data();
}

const KernelTable& KernelsNamed(const char* name) {
  std::string possible;
  for (const KernelTable* const* table = AvailableKernels(); *table; ++table) {
    if (std::string_view(name) == (*table)->name) return **table;
    possible += fmt::format("{}{}", possible.empty() ? "" : ", ", (*table)->name);
  }
  throw Error(ErrorCode::kUsage,
              fmt::format("LITERTLM_ISA names an instruction set that cannot run here: '{}'", name),
              fmt::format("This processor can run: {}.", possible));
}

const KernelTable& ActiveKernels() {
  static const KernelTable& active = Choose();
  return active;
}

std::string ActiveIsaName() { return ActiveKernels().name; }

}  // namespace litertlm
