// A vocabulary as large as that of real models, through the program: of its logits only those are
// computed that matter, and the words stay the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "kernels/kernel_table.h"
#include "tests/cli/program.h"
#include "tests/convert/checkpoint_editor.h"

namespace litertlm {
namespace {

/// tiny-qwen3 with 262,144 tokens, of which the tokenizer knows the first: the rows of the others
/// repeat its own.
class LargeVocabulary : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    constexpr int64_t kTokens = 262144;
    CheckpointEditor editor("tiny-qwen3");
    EditedTensor& embedding = editor.tensors.at("model.embed_tokens.weight");
    const std::string trained = embedding.bytes;
    const size_t row = trained.size() / static_cast<size_t>(embedding.shape[0]);
    while (embedding.bytes.size() < row * kTokens) embedding.bytes += trained;
    embedding.bytes.resize(row * kTokens);
    embedding.shape[0] = kTokens;
    editor.config["vocab_size"] = kTokens;
    folder_ = new TestFolder;
    const Outcome outcome = RunProgram(
        {"convert", editor.Save(), "--output-dir", folder_->path(), "--quantize", "dynamic_int8"});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    for (const auto& entry : std::filesystem::directory_iterator(folder_->path())) {
      if (entry.path().extension() == ".litertlm") *model_ = entry.path();
    }
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  static std::string Run(const std::string& model, std::vector<std::string> options) {
    options.insert(options.begin(), {"run", model, "--raw", "--prompt", "The old gardener",
                                     "--max-tokens", "100", "--ignore-eos"});
    const Outcome outcome = RunProgram(options);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.out;
  }

  static inline TestFolder* folder_ = nullptr;
  static inline std::string* model_ = new std::string;
};

TEST_F(LargeVocabulary, SaysTheSameWords) {
  ConvertOnce("tiny-qwen3");
  const std::vector<std::vector<std::string>> samplings = {
      {"--temperature", "0"},
      {"--temperature", "1", "--top-k", "4", "--seed", "3"},
      {"--temperature", "1", "--top-k", "50", "--seed", "3"},
      {"--temperature", "0", "--repeat-penalty", "1.3"}};
  for (const std::vector<std::string>& sampling : samplings) {
    const std::string text = Run("tiny-qwen3", sampling);
    EXPECT_EQ(Run(*model_, sampling), text);
    std::vector<std::string> with_all = sampling;
    with_all.emplace_back("--all-logits");
    EXPECT_EQ(Run(*model_, with_all), text);
    EXPECT_GT(text.size(), 100u);
  }
}

TEST_F(LargeVocabulary, BenchReadsLessUnlessAllLogitsAreWanted) {
  std::string kernels;
  const auto bytes_per_token = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"bench", *model_, "-p", "0", "-n", "60", "-r", "1", "--json"});
    const Outcome outcome = RunProgram(options);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    const Json row = ParseJson(outcome.out, "the output")[0];
    kernels = row["kernels"];
    return row["bytes_per_second"].get<double>() / row["tokens_per_second"].get<double>();
  };
  constexpr double kHead = 262144 * 128;
  const double all = bytes_per_token({"--all-logits"});
  EXPECT_GT(all, kHead);
  const double some = bytes_per_token({});
  if (!KernelsNamed(kernels.c_str()).sketch_pays) {
    EXPECT_EQ(some, all);
    return;
  }
  EXPECT_LT(some, all - 0.2 * kHead);
  EXPECT_GT(some, all - 0.4 * kHead);
}

}  // namespace
}  // namespace litertlm
