#include "hub/repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "litertlm/error.h"

namespace litertlm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Repository Holding(const std::string& name, const std::vector<std::string>& paths) {
  Repository repository{.name = name, .commit = std::string(40, 'a'), .files = {}};
  for (const std::string& path : paths) repository.files.push_back({.path = path, .content = {}});
  return repository;
}

std::vector<std::string> Paths(const std::vector<RemoteFile>& files) {
  std::vector<std::string> paths;
  for (const RemoteFile& file : files) paths.push_back(file.path);
  return paths;
}

TEST(RepositoryName, FollowsTheHubsRules) {
  for (const char* good : {"Qwen/Qwen3-0.6B", "google/gemma-3-270m-it", "a/b", "o_o/x.y-z_1"}) {
    EXPECT_TRUE(IsRepositoryName(good)) << good;
  }
  for (const char* bad : {"", "/", "a/", "/b", "name", "a/b/c", "../x", "a/..", "a/.hidden", "a/b-",
                          "a/b--c", "a/b c", "a/b\n", "a/b?x=1", "a/\xC3\xA9"}) {
    EXPECT_FALSE(IsRepositoryName(bad)) << bad;
  }
  EXPECT_FALSE(IsRepositoryName("a/" + std::string(95, 'b')));
}

TEST(SafePath, KeepsFilesInTheirFolder) {
  for (const char* good : {"config.json", "onnx/model.onnx", "a b", "\xC3\xA9.txt", "..."}) {
    EXPECT_TRUE(IsSafePath(good)) << good;
  }
  for (const char* bad : {"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "..", "a\\b",
                          "C:x", "a\nb", "a\x7f", "\xff", "model.partial", "model.blocks"}) {
    EXPECT_FALSE(IsSafePath(bad)) << bad;
  }
  EXPECT_FALSE(IsSafePath(std::string("a\0b", 3)));
  EXPECT_FALSE(IsSafePath(std::string(201, 'a')));
}

TEST(SelectModelFile, TakesTheOnlyOne) {
  const Repository one =
      Holding("litert-community/gemma-3-270m-it", {"README.md", "gemma3-270m-it-q8.litertlm"});
  EXPECT_EQ(SelectModelFile(one, std::nullopt)->path, "gemma3-270m-it-q8.litertlm");
  EXPECT_EQ(SelectModelFile(Holding("Qwen/Qwen3-0.6B", {"config.json"}), std::nullopt), nullptr);
}

// The names are those of real repositories.
TEST(SelectModelFile, PrefersTheGenericOne) {
  EXPECT_EQ(SelectModelFile(
                Holding("litert-community/Gemma3-1B-IT",
                        {"Gemma3-1B-IT_q4_ekv1280_mt6989.litertlm",
                         "Gemma3-1B-IT_q4_ekv1280_sm8550.litertlm", "gemma3-1b-it-int4.litertlm"}),
                std::nullopt)
                ->path,
            "gemma3-1b-it-int4.litertlm");
  EXPECT_EQ(SelectModelFile(
                Holding("litert-community/gemma-4-E2B-it-litert-lm",
                        {"gemma-4-E2B-it-web.litertlm", "gemma-4-E2B-it_qualcomm_qcs8275.litertlm",
                         "gemma-4-E2B-it_Google_Tensor_G5.litertlm", "gemma-4-E2B-it.litertlm"}),
                std::nullopt)
                ->path,
            "gemma-4-E2B-it.litertlm");
  EXPECT_EQ(SelectModelFile(Holding("litert-community/Qwen3-0.6B",
                                    {"qwen3_0_6b_mixed_int4.litertlm", "Qwen3-0.6B.litertlm"}),
                            std::nullopt)
                ->path,
            "Qwen3-0.6B.litertlm");
  EXPECT_EQ(SelectModelFile(Holding("o/m", {"m-int4.litertlm", "m-gpu.litertlm", "m-q8.litertlm"}),
                            std::nullopt)
                ->path,
            "m-q8.litertlm");
}

TEST(SelectModelFile, TakesABundleWhereThereIsNothingElse) {
  EXPECT_EQ(SelectModelFile(Holding("litert-community/Phi-4-mini-instruct",
                                    {"phi4_q8_ekv1280.task", "phi4_q8_ekv1280-web.task", "x.bin"}),
                            std::nullopt)
                ->path,
            "phi4_q8_ekv1280.task");
  const Repository both = Holding("o/m", {"m.task", "m-int4.litertlm"});
  EXPECT_EQ(SelectModelFile(both, std::nullopt)->path, "m-int4.litertlm");
  EXPECT_EQ(SelectModelFile(both, "m.task")->path, "m.task");
  EXPECT_EQ(SelectModelFile(both, "m")->path, "m.task");
  EXPECT_THROW(CheckpointDescription(Holding("o/m", {"m.task"})), Error);
}

TEST(SelectModelFile, TakesTheNamedOne) {
  const Repository two = Holding("o/m", {"m-q8.litertlm", "m-web.litertlm"});
  EXPECT_EQ(SelectModelFile(two, "m-web.litertlm")->path, "m-web.litertlm");
  EXPECT_EQ(SelectModelFile(two, "m-web")->path, "m-web.litertlm");
  try {
    SelectModelFile(two, "m-wed.litertlm");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.hint(), HasSubstr("Did you mean m-web.litertlm?"));
  }
}

TEST(SelectModelFile, AsksWhereAllAreSpecial) {
  try {
    SelectModelFile(Holding("o/m", {"m_sm8550.litertlm", "m-npu.litertlm"}), std::nullopt);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.hint(), HasSubstr("--file"));
  }
}

TEST(Checkpoint, TakesOnlyWhatAConversionNeeds) {
  const Repository whole =
      Holding("o/m", {".gitattributes", "README.md", "config.json", "generation_config.json",
                      "merges.txt", "model.safetensors", "onnx/model.onnx", "pytorch_model.bin",
                      "tokenizer.json", "tokenizer_config.json", "vocab.json"});
  EXPECT_THAT(Paths(CheckpointDescription(whole)),
              ElementsAre("config.json", "generation_config.json", "tokenizer.json",
                          "tokenizer_config.json"));
  EXPECT_THAT(Paths(CheckpointWeights(whole, "")), ElementsAre("model.safetensors"));
}

TEST(Checkpoint, FollowsTheIndexOfShards) {
  const Repository sharded = Holding("o/m", {"config.json", "model.safetensors.index.json",
                                             "a.safetensors", "b.safetensors", "old.safetensors"});
  EXPECT_THAT(Paths(CheckpointDescription(sharded)),
              ElementsAre("config.json", "model.safetensors.index.json"));
  EXPECT_THAT(Paths(CheckpointWeights(sharded,
                                      R"({"weight_map": {"x": "b.safetensors", "y": "a.safetensors",
                               "z": "b.safetensors"}})")),
              ElementsAre("a.safetensors", "b.safetensors"));
  EXPECT_THROW(CheckpointWeights(sharded, R"({"weight_map": {"x": "c.safetensors"}})"), Error);
  for (const char* hostile :
       {"{}", "[]", "3", R"({"weight_map": {}})", R"({"weight_map": {"x": "../a.safetensors"}})",
        R"({"weight_map": {"x": 1}})", R"({"weight_map": ["a.safetensors"]})"}) {
    EXPECT_THROW(ShardsOf(hostile), Error) << hostile;
  }
}

TEST(Checkpoint, SaysWhatIsMissing) {
  EXPECT_THROW(CheckpointDescription(Holding("o/m", {"model.safetensors"})), Error);
  EXPECT_THROW(CheckpointDescription(Holding("o/m", {"config.json", "pytorch_model.bin"})), Error);
}

TEST(Pattern, StarsAndQuestionMarks) {
  EXPECT_TRUE(MatchesPattern("model-00001.safetensors", "*.safetensors"));
  EXPECT_TRUE(MatchesPattern("onnx/model.onnx", "onnx/*"));
  EXPECT_TRUE(MatchesPattern("a.b.b", "*.b"));
  EXPECT_TRUE(MatchesPattern("abc", "a?c"));
  EXPECT_TRUE(MatchesPattern("a*c", "a*c"));
  EXPECT_FALSE(MatchesPattern("abc", "a?"));
  EXPECT_FALSE(MatchesPattern("model.bin", "*.safetensors"));
  EXPECT_FALSE(MatchesPattern("", "?"));
}

}  // namespace
}  // namespace litertlm
