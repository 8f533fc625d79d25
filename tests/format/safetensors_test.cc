#include "format/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "litertlm/error.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

const fs::path kTestdata = fs::path(LITERTLM_SOURCE_DIR) / "testdata";

class SafetensorsTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  void Put(const std::string& name, std::string_view content) {
    AtomicFile file(folder_ / name);
    file.Write(AsBytes(content));
    file.Commit();
  }
  void PutModel(std::string_view header, size_t data) {
    std::string bytes(8, '\0');
    const uint64_t size = header.size();
    std::memcpy(bytes.data(), &size, 8);
    bytes += header;
    bytes.append(data, 'x');
    Put("model.safetensors", bytes);
  }
  std::string OpenError() {
    try {
      Checkpoint::Open(folder_);
    } catch (const Error& e) {
      return e.message();
    }
    return "";
  }
  const fs::path folder_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(SafetensorsTest, ReadsTheFixture) {
  const Checkpoint checkpoint = Checkpoint::Open(kTestdata / "tiny-qwen3");
  const CheckpointTensor* embedding = checkpoint.Find("model.embed_tokens.weight");
  ASSERT_NE(embedding, nullptr);
  EXPECT_EQ(embedding->dtype, DType::kBF16);
  EXPECT_EQ(embedding->shape, (std::vector<int64_t>{1600, 128}));
  EXPECT_EQ(embedding->bytes.size(), 1600u * 128 * 2);
}

TEST_F(SafetensorsTest, ShardsHoldTheSameTensors) {
  const Checkpoint one = Checkpoint::Open(kTestdata / "tiny-qwen3");
  const Checkpoint shards = Checkpoint::Open(kTestdata / "tiny-qwen3-sharded");
  for (const auto& [name, tensor] : one.tensors()) {
    const CheckpointTensor* other = shards.Find(name);
    ASSERT_NE(other, nullptr) << name;
    EXPECT_EQ(AsText(other->bytes), AsText(tensor.bytes)) << name;
  }
  EXPECT_EQ(shards.tensors().size(), one.tensors().size() + 1);  // lm_head.weight
}

TEST_F(SafetensorsTest, DamageIsNamed) {
  PutModel(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  EXPECT_EQ(OpenError(), "");
  PutModel(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7);
  EXPECT_NE(OpenError().find("tensor a"), std::string::npos);
  PutModel(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8);
  EXPECT_NE(OpenError().find("tensor a"), std::string::npos);
  PutModel(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8);
  EXPECT_NE(OpenError().find("tensor a"), std::string::npos);
  PutModel(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", 8);
  EXPECT_NE(OpenError().find("too many elements"), std::string::npos);
  PutModel(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
               "b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
           8);
  EXPECT_NE(OpenError().find("overlaps"), std::string::npos);
  PutModel(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8);
  EXPECT_NE(OpenError().find("follow"), std::string::npos);
  PutModel(R"({"a":{"dtype":"COMPLEX","shape":[1],"data_offsets":[0,8]}})", 8);
  EXPECT_NE(OpenError().find("COMPLEX"), std::string::npos);
  PutModel(R"({"a":[)", 0);
  EXPECT_NE(OpenError().find("JSON"), std::string::npos);
  Put("model.safetensors", "\xff\xff\xff\xff\xff\xff\xff\x7f");
  EXPECT_NE(OpenError().find("header"), std::string::npos);
}

TEST_F(SafetensorsTest, AnIndexMustNotLeaveItsFolder) {
  Put("model.safetensors.index.json", R"({"weight_map":{"a":"../secret"}})");
  EXPECT_NE(OpenError().find("../secret"), std::string::npos);
  Put("model.safetensors.index.json", R"({"weight_map":{"a":"model-1.safetensors"}})");
  EXPECT_NE(OpenError().find("model-1.safetensors is missing"), std::string::npos);
}

TEST_F(SafetensorsTest, AnEmptyFolderSaysWhatIsExpected) {
  EXPECT_NE(OpenError().find("model.safetensors"), std::string::npos);
}

}  // namespace
}  // namespace litertlm
