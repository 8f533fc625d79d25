// The trained checkpoints of testdata/, converted and run, against logits computed independently
// with NumPy in float32.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>

#include "base/json.h"
#include "convert/convert.h"
#include "format/litertlm.h"
#include "runtime/language_model.h"
#include "tests/test_name.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

struct ReferenceLogits {
  std::vector<int32_t> ids;
  std::vector<float> values;  ///< [ids, vocabulary].
};

std::vector<ReferenceLogits> ReadReferences(const fs::path& checkpoint) {
  const Json json = ParseJson(ReadFile(checkpoint / "reference.json"), "reference.json");
  std::vector<ReferenceLogits> references;
  for (const Json& entry : json.at("logits")) {
    ReferenceLogits reference;
    reference.ids = entry.at("ids").get<std::vector<int32_t>>();
    // Version 1 of the format: magic, version, length of the header in 2 bytes, header, data.
    const std::string npy = ReadFile(checkpoint / entry.at("file").get<std::string>());
    uint16_t header = 0;
    std::memcpy(&header, npy.data() + 8, sizeof(header));
    reference.values.resize((npy.size() - 10 - header) / sizeof(float));
    std::memcpy(reference.values.data(), npy.data() + 10 + header,
                reference.values.size() * sizeof(float));
    references.push_back(std::move(reference));
  }
  return references;
}

class ConvertedModel {
 public:
  ConvertedModel(const fs::path& checkpoint, Quantization quantization,
                 std::optional<size_t> sketched_head_bytes = {}) {
    ConvertOptions options;
    options.checkpoint = checkpoint;
    options.output =
        fs::path(testing::TempDir()) / ("runtime-" + checkpoint.filename().string() + "-" +
                                        std::string(QuantizationName(quantization)) + ".litertlm");
    options.quantization = quantization;
    options.kv_cache_max_len = 256;
    options.prefill_seq_lens = {16, 64};
    Convert(options);
    file_ = LitertlmFile::Open(options.output);
    fs::remove(options.output);
    model_ = TfliteModel::Parse(file_.Find(SectionType::kTfliteModel, kPrefillDecodeModel)->bytes,
                                {}, file_.name());
    language_model_ = CompileLanguageModel(
        model_,
        {.threads = 2, .cache_type = DType::kF32, .sketched_head_bytes = sketched_head_bytes});
  }

  LanguageModel& operator*() { return *language_model_; }

 private:
  LitertlmFile file_;
  TfliteModel model_;
  std::unique_ptr<LanguageModel> language_model_;
};

float LargestDifference(std::span<const float> a, std::span<const float> b) {
  float largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a[i] - b[i]));
  return largest;
}

class FixtureModels : public testing::TestWithParam<std::string> {
 protected:
  fs::path checkpoint() const { return fs::path(LITERTLM_SOURCE_DIR "/testdata") / GetParam(); }
};

TEST_P(FixtureModels, LogitsOfEveryTokenEqualTheReference) {
  ConvertedModel converted(checkpoint(), Quantization::kNone);
  LanguageModel& model = *converted;
  std::vector<float> logits(static_cast<size_t>(model.vocab_size()));
  for (const ReferenceLogits& reference : ReadReferences(checkpoint())) {
    ASSERT_EQ(reference.values.size(), reference.ids.size() * logits.size());
    const auto cache = model.NewCache();
    float largest = 0;
    for (size_t i = 0; i < reference.ids.size(); ++i) {
      model.Decode(*cache, reference.ids[i], static_cast<int>(i), logits);
      const std::span row(reference.values.data() + i * logits.size(), logits.size());
      largest = std::max(largest, LargestDifference(logits, row));
    }
    EXPECT_LE(largest, 2e-4f);
  }
}

// Prompts shorter and longer than every prefill signature and than the sliding window.
TEST_P(FixtureModels, PrefillOfAnyLengthEqualsTheReference) {
  ConvertedModel converted(checkpoint(), Quantization::kNone);
  LanguageModel& model = *converted;
  std::vector<float> logits(static_cast<size_t>(model.vocab_size()));
  const ReferenceLogits reference = ReadReferences(checkpoint()).back();
  const std::span<const int32_t> ids(reference.ids);
  for (const size_t length : {1, 2, 15, 16, 17, 31, 33, 64, 65, 150, 200, 223}) {
    for (const size_t first : {size_t{0}, length / 3}) {
      const auto cache = model.NewCache();
      model.Prefill(*cache, ids.first(first), 0);
      model.Prefill(*cache, ids.subspan(first, length - first), static_cast<int>(first));
      model.Decode(*cache, ids[length], static_cast<int>(length), logits);
      const std::span row(reference.values.data() + length * logits.size(), logits.size());
      EXPECT_LE(LargestDifference(logits, row), 2e-4f) << length << " tokens in two parts";
    }
  }
}

// Every coding stays as close to the reference as its rounding allows; measured on both models,
// doubled. Exact values are compared in tests/conformance.
TEST_P(FixtureModels, CodingsStayCloseToTheReference) {
  const std::map<Quantization, float> bounds = {
      {Quantization::kFp16, 2e-4f},
      {Quantization::kInt8, 0.3f},
      {Quantization::kDynamicInt8, 0.5f},
      {Quantization::kDynamicInt4Block32, 5.0f},
      {Quantization::kDynamicInt4Block128, 5.0f},
  };
  const ReferenceLogits reference = ReadReferences(checkpoint()).front();
  for (const auto& [quantization, bound] : bounds) {
    ConvertedModel converted(checkpoint(), quantization);
    LanguageModel& model = *converted;
    std::vector<float> logits(static_cast<size_t>(model.vocab_size()));
    const auto cache = model.NewCache();
    const size_t last = reference.ids.size() - 1;
    model.Prefill(*cache, std::span(reference.ids).first(last), 0);
    model.Decode(*cache, reference.ids[last], static_cast<int>(last), logits);
    const std::span row(reference.values.data() + last * logits.size(), logits.size());
    EXPECT_LE(LargestDifference(logits, row), bound) << QuantizationName(quantization);
  }
}

// Through a sketch of the output head, as large models have one.
TEST_P(FixtureModels, TheHighestLogitsAreThoseOfAll) {
  ConvertedModel converted(checkpoint(), Quantization::kDynamicInt8);
  ConvertedModel sketched(checkpoint(), Quantization::kDynamicInt8, 0);
  std::vector<float> all(static_cast<size_t>((*converted).vocab_size()));
  std::vector<float> highest = all;
  for (const ReferenceLogits& reference : ReadReferences(checkpoint())) {
    const auto cache = (*converted).NewCache();
    const auto sketched_cache = (*sketched).NewCache();
    for (size_t i = 0; i < reference.ids.size(); ++i) {
      const int at = static_cast<int>(i);
      (*converted).Decode(*cache, reference.ids[i], at, all);
      (*sketched).Decode(*sketched_cache, reference.ids[i], at, highest, {.best = 1});
      const auto best = std::ranges::max_element(all);
      ASSERT_EQ(std::ranges::max_element(highest) - highest.begin(), best - all.begin());
      ASSERT_EQ(highest[static_cast<size_t>(best - all.begin())], *best);
    }
  }
  EXPECT_EQ((*converted).unread_bytes(), 0u);
  EXPECT_GT((*sketched).unread_bytes(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Testdata, FixtureModels, testing::Values("tiny-qwen3", "tiny-gemma3"),
                         [](const auto& test) { return TestName(test.param); });

}  // namespace
}  // namespace litertlm
