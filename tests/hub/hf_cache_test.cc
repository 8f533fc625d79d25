#include "hub/hf_cache.h"

#include "tests/hub/hub_fixture.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";

class HfCacheTest : public HubTest {
 protected:
  // As Hugging Face's client lays it out: links from the snapshot to blobs.
  void Cache(const fs::path& cache) {
    const fs::path repo = cache / "models--Qwen--Qwen3-0.6B";
    WriteFile(repo / "refs" / "main", kCommit);
    for (const char* name : {"config.json", "model.safetensors"}) {
      WriteFile(repo / "blobs" / name, "{}");
      fs::create_directories(repo / "snapshots" / kCommit);
      fs::create_symlink(fs::path("../../blobs") / name, repo / "snapshots" / kCommit / name);
    }
  }
};

TEST_F(HfCacheTest, IsLookedForWhereTheEnvironmentSays) {
  Cache(folder_ / "hf" / "hub");
  const fs::path found = FindInHfCache("Qwen/Qwen3-0.6B", "main");
  EXPECT_EQ(found, folder_ / "hf/hub/models--Qwen--Qwen3-0.6B/snapshots" / kCommit);
  EXPECT_TRUE(HoldsCheckpoint(found));
  EXPECT_EQ(FindInHfCache("Qwen/Qwen3-0.6B", kCommit), found);

  ::setenv("HF_HUB_CACHE", (folder_ / "cache").c_str(), 1);
  EXPECT_EQ(FindInHfCache("Qwen/Qwen3-0.6B", "main"), "");
  Cache(folder_ / "cache");
  EXPECT_NE(FindInHfCache("Qwen/Qwen3-0.6B", "main"), "");

  ::unsetenv("HF_HUB_CACHE");
  ::unsetenv("HF_HOME");
  ::setenv("XDG_CACHE_HOME", (folder_ / "xdg").c_str(), 1);
  Cache(folder_ / "xdg" / "huggingface" / "hub");
  EXPECT_NE(FindInHfCache("Qwen/Qwen3-0.6B", "main"), "");
}

TEST_F(HfCacheTest, AnotherRevisionIsNotThere) {
  Cache(folder_ / "hf" / "hub");
  EXPECT_EQ(FindInHfCache("Qwen/Qwen3-0.6B", "v1.0"), "");
  EXPECT_EQ(FindInHfCache("Qwen/Qwen3-0.6B", "../../../secrets"), "");
  EXPECT_EQ(FindInHfCache("Qwen/Qwen3-1.7B", "main"), "");
}

TEST_F(HfCacheTest, ACheckpointWithoutAllItsWeightsIsNone) {
  WriteFile(folder_ / "a" / "config.json", "{}");
  EXPECT_FALSE(HoldsCheckpoint(folder_ / "a"));
  WriteFile(folder_ / "a" / "model.safetensors.index.json",
            R"({"weight_map": {"x": "1.safetensors", "y": "2.safetensors"}})");
  WriteFile(folder_ / "a" / "1.safetensors", "");
  EXPECT_FALSE(HoldsCheckpoint(folder_ / "a"));
  // A link whose blob is gone.
  fs::create_symlink("gone", folder_ / "a" / "2.safetensors");
  EXPECT_FALSE(HoldsCheckpoint(folder_ / "a"));
  fs::remove(folder_ / "a" / "2.safetensors");
  WriteFile(folder_ / "a" / "2.safetensors", "");
  EXPECT_TRUE(HoldsCheckpoint(folder_ / "a"));
}

}  // namespace
}  // namespace litertlm
