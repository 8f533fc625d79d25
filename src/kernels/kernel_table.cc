#include "kernels/kernel_table.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "kernels/isa.h"
#include "kernels/scalar/scalar_kernels.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

const KernelTable& Choose() {
  const char* forced = std::getenv("LITERTLM_ISA");
  return forced && *forced ? KernelsNamed(forced) : *AvailableKernels()[0];
}

}  // namespace

const KernelTable* const* AvailableKernels() {
  static const KernelTable* const kTables[] = {&ScalarKernels(), nullptr};
  return kTables;
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
