// Made-up texts for comparisons of tokenizers.
#ifndef LITERTLM_TESTS_CONFORMANCE_RANDOM_TEXT_H_
#define LITERTLM_TESTS_CONFORMANCE_RANDOM_TEXT_H_

#include <random>
#include <string>

namespace litertlm {

/// Words, scripts, spaces, names of tokens, ligatures, emoji, numbers; some of it not UTF-8.
std::string RandomText(std::mt19937& random);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_CONFORMANCE_RANDOM_TEXT_H_
