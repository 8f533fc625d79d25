// Both bundled checkpoints in every coding, converted and run, against numbers from elsewhere: the
// answers and logits that the training framework computed (testdata/README.md), and for quantized
// weights the emulation beside this file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "convert/convert.h"
#include "format/litertlm.h"
#include "format/tflite.h"
#include "runtime/language_model.h"
#include "tests/conformance/decoder_emulation.h"
#include "tests/scratch_path.h"
#include "tests/test_name.h"

namespace litertlm::testing {
namespace {

using Ids = std::vector<int32_t>;

constexpr float kTolerance = 2e-4f;  ///< Between logits, which lie in about -20 … 20.

std::filesystem::path Testdata(const std::string& name) {
  return std::filesystem::path(LITERTLM_SOURCE_DIR) / "testdata" / name;
}

Json ReadReference(const std::string& model) {
  return ParseJson(ReadFile(Testdata(model) / "reference.json"), "reference.json");
}

/// The rows of a float32 matrix in NumPy's format: magic, header length, a Python dict, numbers.
std::vector<Row> ReadNpy(const std::filesystem::path& path) {
  const std::string file = ReadFile(path);
  const size_t header_size = uint8_t(file.at(8)) + 256 * uint8_t(file.at(9));
  const std::string header = file.substr(10, header_size);
  int count = 0, width = 0;
  const size_t shape = header.find("'shape': (");
  if (shape == std::string::npos || header.find("'<f4'") == std::string::npos ||
      std::sscanf(&header[shape], "'shape': (%d, %d)", &count, &width) != 2) {
    throw std::runtime_error(path.string() + " is not a float32 matrix");
  }
  std::vector<Row> rows(count, Row(width));
  for (int i = 0; i < count; ++i) {
    std::memcpy(rows[i].data(), &file[10 + header_size + size_t(4) * width * i], size_t(4) * width);
  }
  return rows;
}

float LargestDifference(const Row& a, const Row& b) {
  EXPECT_EQ(a.size(), b.size());
  float largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(a[i] - b[i]));
  }
  return largest;
}

float LargestDifference(const std::vector<Row>& a, const std::vector<Row>& b) {
  EXPECT_EQ(a.size(), b.size());
  float largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, LargestDifference(a[i], b[i]));
  }
  return largest;
}

/// The smallest of the largest differences between `logits` and what the emulation gives for the
/// token, over all ways of rounding up to two of its close calls. Leaves the emulation in the state
/// of the best way.
float DifferenceOfToken(DecoderEmulation& emulation, int32_t token, int position, const Row& logits,
                        float wanted) {
  ActivationRounding rounding;
  std::set<int> best;
  const auto difference = [&](const std::set<int>& turned) {
    rounding.Begin(turned);
    return LargestDifference(emulation.Logits(token, position, rounding), logits);
  };
  float smallest = difference({});
  const int close_calls = rounding.close_calls();
  for (int a = 0; a < close_calls && smallest > wanted; ++a) {
    for (int b = a; b < close_calls && smallest > wanted; ++b) {
      if (const float here = difference({a, b}); here < smallest) {
        smallest = here;
        best = {a, b};
      }
    }
  }
  difference(best);
  return smallest;
}

/// How a graph is executed.
enum class Execution { kUnfused, kFused, kFusedHalfCache, kFusedInt8Cache };

RuntimeOptions OptionsFor(Execution execution) {
  return {.threads = 1,
          .fusions = execution == Execution::kUnfused ? Fusions::None() : Fusions(),
          .cache_type = execution == Execution::kFusedHalfCache   ? DType::kF16
                        : execution == Execution::kFusedInt8Cache ? DType::kI8
                                                                  : DType::kF32};
}

std::string SuffixOf(Execution execution) {
  switch (execution) {
    case Execution::kUnfused:
      return "_unfused";
    case Execution::kFused:
      return "";
    case Execution::kFusedHalfCache:
      return "_half_cache";
    case Execution::kFusedInt8Cache:
      return "_int8_cache";
  }
  return "?";
}

/// A converted checkpoint, opened.
class ConvertedModel {
 public:
  ConvertedModel(const std::string& name, Quantization coding, Execution execution)
      : path_(ScratchPath(name + "-" + std::string(QuantizationName(coding)) + ".litertlm")) {
    Convert({.checkpoint = Testdata(name), .output = path_, .quantization = coding});
    file_ = LitertlmFile::Open(path_);
    const Section* section = file_.Find(SectionType::kTfliteModel, kPrefillDecodeModel);
    tflite_ = TfliteModel::Parse(section->bytes, {}, path_.string());
    model_ = CompileLanguageModel(tflite_, OptionsFor(execution));
  }
  ~ConvertedModel() { std::filesystem::remove(path_); }

  /// The answer to `prompt`, always the likeliest token; without the stop token.
  Ids Answer(const Ids& prompt, const Ids& stop_ids, size_t max_tokens) {
    const auto cache = model_->NewCache();
    model_->Prefill(*cache, std::span(prompt).first(prompt.size() - 1), 0);
    std::vector<float> logits(model_->vocab_size());
    Ids answer;
    int32_t token = prompt.back();
    for (int position = int(prompt.size()) - 1; answer.size() < max_tokens; ++position) {
      model_->Decode(*cache, token, position, logits);
      token = static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin());
      if (std::ranges::find(stop_ids, token) != stop_ids.end()) break;
      answer.push_back(token);
    }
    return answer;
  }

  /// Logits after each token from `prefilled` on, the tokens before having been computed at once.
  std::vector<Row> Logits(const Ids& ids, size_t prefilled) {
    const auto cache = model_->NewCache();
    model_->Prefill(*cache, std::span(ids).first(prefilled), 0);
    std::vector<Row> logits;
    for (size_t i = prefilled; i < ids.size(); ++i) {
      logits.emplace_back(model_->vocab_size());
      model_->Decode(*cache, ids[i], static_cast<int>(i), logits.back());
    }
    return logits;
  }

 private:
  std::filesystem::path path_;
  LitertlmFile file_;
  TfliteModel tflite_;
  std::unique_ptr<LanguageModel> model_;
};

class ReferenceTest
    : public ::testing::TestWithParam<std::tuple<std::string, Quantization, Execution>> {
 protected:
  std::string name() const { return std::get<0>(GetParam()); }
  Quantization coding() const { return std::get<1>(GetParam()); }
  Execution execution() const { return std::get<2>(GetParam()); }
};

TEST_P(ReferenceTest, AnswersAreThoseOfTheCheckpoint) {
  ConvertedModel model(name(), coding(), execution());
  const Json reference = ReadReference(name());
  int equal = 0, all = 0;
  for (const Json& prompt : reference.at("prompts")) {
    const Ids answer =
        model.Answer(prompt.at("ids"), reference.at("stop_token_ids"), prompt.at("max_new_tokens"));
    ++all;
    equal += answer == prompt.at("output_ids").get<Ids>();
  }
  const bool int4 = coding() == Quantization::kDynamicInt4Block32 ||
                    coding() == Quantization::kDynamicInt4Block128;
  EXPECT_GE(equal, int4 ? 0.95 * all : all) << equal << " of " << all << " answers are equal";
}

/// Without what a smaller cache rounds.
using ExactReferenceTest = ReferenceTest;

TEST_P(ExactReferenceTest, LogitsAreThoseOfTheCoding) {
  ConvertedModel model(name(), coding(), execution());
  DecoderEmulation emulation(Testdata(name()), coding());
  for (const Json& sequence : ReadReference(name()).at("logits")) {
    SCOPED_TRACE(sequence.at("name"));
    const Ids ids = sequence.at("ids");
    const std::vector<Row> logits = model.Logits(ids, 0);
    for (size_t i = 0; i < ids.size(); ++i) {
      const int position = static_cast<int>(i);
      ASSERT_LE(DifferenceOfToken(emulation, ids[i], position, logits[i], kTolerance), kTolerance)
          << "at position " << position;
    }
    if (coding() == Quantization::kNone) {
      const auto reference = ReadNpy(Testdata(name()) / sequence.at("file").get<std::string>());
      EXPECT_LE(LargestDifference(logits, reference), kTolerance);
    }
  }
}

TEST_P(ReferenceTest, PrefillAndDecodeLeaveTheSameCache) {
  ConvertedModel model(name(), coding(), execution());
  for (const Json& sequence : ReadReference(name()).at("logits")) {
    SCOPED_TRACE(sequence.at("name"));
    const Ids ids = sequence.at("ids");
    const std::vector<Row> decoded = model.Logits(ids, 0);
    const size_t prefilled = ids.size() - 4;
    const std::vector<Row> last(decoded.begin() + static_cast<ptrdiff_t>(prefilled), decoded.end());
    EXPECT_LE(LargestDifference(model.Logits(ids, prefilled), last), kTolerance);
  }
}

const auto kModels = ::testing::Values("tiny-qwen3", "tiny-gemma3");
const auto kCodings = ::testing::Values(
    Quantization::kNone, Quantization::kFp16, Quantization::kInt8, Quantization::kDynamicInt8,
    Quantization::kDynamicInt4Block32, Quantization::kDynamicInt4Block128);

std::string NameOf(const ::testing::TestParamInfo<ReferenceTest::ParamType>& test) {
  return TestName(std::get<0>(test.param) + "_" +
                  std::string(QuantizationName(std::get<1>(test.param))) +
                  SuffixOf(std::get<2>(test.param)));
}

INSTANTIATE_TEST_SUITE_P(
    Conversions, ReferenceTest,
    ::testing::Combine(kModels, kCodings,
                       ::testing::Values(Execution::kFused, Execution::kUnfused,
                                         Execution::kFusedHalfCache, Execution::kFusedInt8Cache)),
    NameOf);
INSTANTIATE_TEST_SUITE_P(Conversions, ExactReferenceTest,
                         ::testing::Combine(kModels, kCodings,
                                            ::testing::Values(Execution::kFused,
                                                              Execution::kUnfused)),
                         NameOf);

/// The emulation itself, against the numbers of the training framework.
TEST(DecoderEmulationTest, GivesTheReferenceLogits) {
  for (const char* name : {"tiny-qwen3", "tiny-gemma3"}) {
    DecoderEmulation emulation(Testdata(name), Quantization::kNone);
    for (const Json& sequence : ReadReference(name).at("logits")) {
      SCOPED_TRACE(sequence.at("name"));
      const Ids ids = sequence.at("ids");
      std::vector<Row> logits;
      ActivationRounding rounding;
      for (size_t i = 0; i < ids.size(); ++i) {
        logits.push_back(emulation.Logits(ids[i], static_cast<int>(i), rounding));
      }
      const auto reference = ReadNpy(Testdata(name) / sequence.at("file").get<std::string>());
      EXPECT_LE(LargestDifference(logits, reference), 5e-5f);
    }
  }
}

}  // namespace
}  // namespace litertlm::testing
