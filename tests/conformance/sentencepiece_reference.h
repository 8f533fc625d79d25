// Comparisons with the sentencepiece library, on random texts. They are a program of their own
// without our metadata code: libsentencepiece and libprotobuf export the same symbols and cannot
// live in one process.
#ifndef LITERTLM_TESTS_CONFORMANCE_SENTENCEPIECE_REFERENCE_H_
#define LITERTLM_TESTS_CONFORMANCE_SENTENCEPIECE_REFERENCE_H_

#include <string>
#include <string_view>

namespace litertlm {

/// What the library has to be given where `text` is not UTF-8: it makes a U+FFFD of each such byte,
/// not of each sequence as the Unicode standard recommends and other tokenizers do.
std::string WithOneByteForEachInvalidSequence(std::string_view text);

/// The ids of `texts` random texts, and one long text of all of them.
void CompareEncodings(const std::string& model, int texts);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_CONFORMANCE_SENTENCEPIECE_REFERENCE_H_
