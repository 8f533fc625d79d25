// The families whose decoders the styles are drawn of: what Qwen2.5, Llama and Phi have in common
// with the fixtures, and what not.
#ifndef LITERTLM_TESTS_STYLES_TEST_FAMILY_H_
#define LITERTLM_TESTS_STYLES_TEST_FAMILY_H_

#include <filesystem>
#include <ostream>

#include "tests/styles/styled_model.h"

namespace litertlm {

struct TestFamily {
  const char* name;
  const char* fixture;
  const char* model_type;  ///< As exporters write it into the metadata.
  int layers;
  bool head_norms;
  bool gelu;
  int norms;  ///< In each layer, but for those of heads.
  bool biases = false;
  bool half_turned = false;

  friend std::ostream& operator<<(std::ostream& out, const TestFamily& family) {
    return out << family.name;
  }
};

inline constexpr TestFamily kFamilies[] = {
    {"qwen3", "tiny-qwen3", "qwen3", /*layers=*/4, /*head_norms=*/true, /*gelu=*/false,
     /*norms=*/2},
    {"llama", "tiny-qwen3", "generic_model", /*layers=*/4, /*head_norms=*/false, /*gelu=*/false,
     /*norms=*/2},
    {"qwen2_5", "tiny-qwen3", "qwen2p5", /*layers=*/4, /*head_norms=*/false, /*gelu=*/false,
     /*norms=*/2, /*biases=*/true},
    {"phi", "tiny-qwen3", "generic_model", /*layers=*/4, /*head_norms=*/false, /*gelu=*/false,
     /*norms=*/2, /*biases=*/false, /*half_turned=*/true},
    {"gemma3", "tiny-gemma3", "gemma3", /*layers=*/6, /*head_norms=*/true, /*gelu=*/true,
     /*norms=*/4},
};

/// The fixture, or one made of it that lives as long as the process.
std::filesystem::path CheckpointOf(const TestFamily& family);

/// `options` for a decoder of the family.
StyledModelOptions OptionsFor(const TestFamily& family, StyledModelOptions options = {});

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_TEST_FAMILY_H_
