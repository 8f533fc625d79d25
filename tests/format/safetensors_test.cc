#include "format/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "litertlm/error.h"
#include "tests/scratch_path.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

const fs::path kTestdata = fs::path(LITERTLM_SOURCE_DIR) / "testdata";

// A file with `header` and `data` bytes behind it.
std::string FileBytes(std::string_view header, size_t data) {
  std::string bytes(8, '\0');
  const uint64_t size = header.size();
  std::memcpy(bytes.data(), &size, 8);
  bytes += header;
  bytes.append(data, 'x');
  return bytes;
}

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
    Put("model.safetensors", FileBytes(header, data));
  }
  std::string OpenError() {
    try {
      Checkpoint::Open(folder_);
    } catch (const Error& e) {
      return e.message();
    }
    return "";
  }
  const fs::path folder_ = ScratchPathOfTest();
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
  PutModel(R"({"a":{)", 0);
  EXPECT_NE(OpenError().find("JSON"), std::string::npos);
  Put("model.safetensors", "\xff\xff\xff\xff\xff\xff\xff\x7f");
  EXPECT_NE(OpenError().find("header"), std::string::npos);
}

TEST_F(SafetensorsTest, ReadsEveryShapeAndSkipsMetadata) {
  PutModel(R"({"__metadata__":{"format":"pt"},
               "scalar":{"dtype":"F32","shape":[],"data_offsets":[8,12]},
               "none":{"shape":[0,7],"data_offsets":[12,12],"dtype":"BF16"},
               "first":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}  )",
           12);
  const Checkpoint checkpoint = Checkpoint::Open(folder_);
  ASSERT_EQ(checkpoint.tensors().size(), 3u);
  EXPECT_EQ(checkpoint.Find("scalar")->elements(), 1u);
  EXPECT_EQ(checkpoint.Find("none")->shape, (std::vector<int64_t>{0, 7}));
  EXPECT_EQ(checkpoint.total_bytes(), 12u);
}

TEST_F(SafetensorsTest, HeadersThatAreNoHeadersAreRefused) {
  const std::string good = R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  PutModel("{" + good + "}", 1);
  ASSERT_EQ(OpenError(), "");
  for (const std::string& header :
       {"{" + good + "," + good + "}", "[" + good + "]", std::string("7"), std::string("null"),
        std::string(R"({"a":7})"), std::string(R"({"a":{"dtype":"U8","shape":[1]}})"),
        std::string(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}})"),
        std::string(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})"),
        std::string(R"({"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}})"),
        std::string(R"({"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}})"),
        std::string(R"({"a":{"dtype":"U8","shape":[{}],"data_offsets":[0,1]}})"),
        std::string(R"({"a":{"dtype":["U8"],"shape":[1],"data_offsets":[0,1]}})"),
        std::string(R"({"a":{"dtype":"U8","shape":"1","data_offsets":[0,1]}})"),
        std::string(R"({"a":{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}})"),
        std::string(R"({"__metadata__":{"a":1}})")}) {
    PutModel(header, 1);
    EXPECT_NE(OpenError(), "") << header;
  }
}

TEST(Safetensors, DamageAndTruncationNeverCrash) {
  const std::string good =
      FileBytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  for (size_t at = 0; at < good.size(); ++at) {
    EXPECT_THROW(ParseSafetensors(AsBytes(std::string_view(good).substr(0, at)), "cut"), Error);
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = good;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      try {
        const auto tensors = ParseSafetensors(AsBytes(damaged), "damaged");
        ASSERT_EQ(tensors.size(), 1u) << damaged;
        EXPECT_EQ(tensors[0].bytes.size(), 8u) << damaged;
      } catch (const Error& e) {
        EXPECT_NE(e.message().find("damaged"), std::string::npos);
      }
    }
  }
}

TEST_F(SafetensorsTest, ATensorMustBeInTheShardThatTheIndexNames) {
  const std::string files[] = {"model-1.safetensors", "model-2.safetensors"};
  for (int i = 0; i < 2; ++i) {
    PutModel(i == 0 ? R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})"
                    : R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
             1);
    fs::rename(folder_ / "model.safetensors", folder_ / files[i]);
  }
  const std::string index = "model.safetensors.index.json";
  Put(index, R"({"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}})");
  EXPECT_EQ(OpenError(), "");
  Put(index, R"({"weight_map":{"b":"model-2.safetensors","a":"model-2.safetensors"}})");
  EXPECT_NE(OpenError().find("tensor a"), std::string::npos);
  Put(index, R"({"weight_map":{"a":["model-1.safetensors"]}})");
  EXPECT_NE(OpenError().find("not a string"), std::string::npos);
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
