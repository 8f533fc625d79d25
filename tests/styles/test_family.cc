#include "tests/styles/test_family.h"

#include <span>
#include <string>
#include <vector>

#include "tests/convert/checkpoint_editor.h"

namespace litertlm {
namespace {

/// The fixture, with biases of queries, keys, values and outputs.
class BiasedCheckpoint {
 public:
  BiasedCheckpoint(const std::string& fixture, int layers) : editor_(fixture) {
    editor_.config["attention_bias"] = true;
    for (int layer = 0; layer < layers; ++layer) {
      for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
        AddBias("model.layers." + std::to_string(layer) + ".self_attn." + name + ".");
      }
    }
    folder_ = editor_.Save();
  }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  void AddBias(const std::string& stem) {
    const int64_t size = editor_.tensors.at(stem + "weight").shape[0];
    std::vector<float> bias;
    for (int64_t i = 0; i < size; ++i) {
      bias.push_back(static_cast<float>(i * 37 % 101) / 200.0f - 0.25f);
    }
    editor_.tensors[stem + "bias"] = {
        DType::kF32, {size}, std::string(AsText(std::as_bytes(std::span(bias))))};
  }

  CheckpointEditor editor_;
  std::filesystem::path folder_;
};

}  // namespace

std::filesystem::path CheckpointOf(const TestFamily& family) {
  if (!family.biases) {
    return std::filesystem::path(LITERTLM_SOURCE_DIR "/testdata") / family.fixture;
  }
  static const BiasedCheckpoint biased(family.fixture, family.layers);
  return biased.folder();
}

StyledModelOptions OptionsFor(const TestFamily& family, StyledModelOptions options) {
  options.head_norms = family.head_norms;
  options.half_turned = family.half_turned;
  options.model_type = family.model_type;
  return options;
}

}  // namespace litertlm
