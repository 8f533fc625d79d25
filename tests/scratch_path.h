// Where tests put files: names of their own for each process, because tests run side by side.
#ifndef LITERTLM_TESTS_SCRATCH_PATH_H_
#define LITERTLM_TESTS_SCRATCH_PATH_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace litertlm {

inline std::filesystem::path ScratchPath(const std::string& name) {
  return std::filesystem::path(::testing::TempDir()) /
         ("litertlm-" + std::to_string(::getpid()) + "-" + name);
}

/// One for the test that runs.
inline std::filesystem::path ScratchPathOfTest() {
  return ScratchPath(::testing::UnitTest::GetInstance()->current_test_info()->name());
}

}  // namespace litertlm

#endif  // LITERTLM_TESTS_SCRATCH_PATH_H_
