// Tests that run once for each instruction set that this processor has.
#ifndef LITERTLM_TESTS_KERNELS_EVERY_ISA_H_
#define LITERTLM_TESTS_KERNELS_EVERY_ISA_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/kernel_table.h"

namespace litertlm {

inline std::vector<std::string> IsaNames() {
  std::vector<std::string> names;
  for (const KernelTable* const* table = AvailableKernels(); *table; ++table) {
    names.emplace_back((*table)->name);
  }
  return names;
}

class EveryIsa : public testing::TestWithParam<std::string> {
 protected:
  const KernelTable& table_ = KernelsNamed(GetParam().c_str());
  const KernelTable& scalar_ = KernelsNamed("scalar");
};

#define INSTANTIATE_FOR_EVERY_ISA(Fixture)                              \
  INSTANTIATE_TEST_SUITE_P(Isa, Fixture, testing::ValuesIn(IsaNames()), \
                           [](const auto& instance) { return instance.param; })

}  // namespace litertlm

#endif  // LITERTLM_TESTS_KERNELS_EVERY_ISA_H_
