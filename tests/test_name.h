// Names of tests with parameters.
#ifndef LITERTLM_TESTS_TEST_NAME_H_
#define LITERTLM_TESTS_TEST_NAME_H_

#include <algorithm>
#include <cctype>
#include <string>

namespace litertlm {

/// `text` in the characters that a test's name may have.
inline std::string TestName(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return text;
}

}  // namespace litertlm

#endif  // LITERTLM_TESTS_TEST_NAME_H_
