#include "base/file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "litertlm/error.h"
#include "tests/scratch_path.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  size_t FilesInFolder() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }
  const fs::path folder_ = ScratchPathOfTest();
};

TEST_F(FileTest, AtomicFileAppearsOnlyWhenCommitted) {
  const fs::path path = folder_ / "deep" / "file";
  {
    AtomicFile file(path);
    file.Write(AsBytes("hello"));
    EXPECT_FALSE(fs::exists(path));
    file.Commit();
  }
  EXPECT_EQ(ReadFile(path), "hello");
}

TEST_F(FileTest, AbandonedFileLeavesNothingAndKeepsTheOld) {
  const fs::path path = folder_ / "file";
  {
    AtomicFile file(path);
    file.Write(AsBytes("old"));
    file.Commit();
  }
  { AtomicFile(path).Write(AsBytes("new")); }
  EXPECT_EQ(ReadFile(path), "old");
  EXPECT_EQ(FilesInFolder(), 1u);
}

TEST_F(FileTest, MissingFileIsNamed) {
  try {
    MappedFile::Open(folder_ / "absent");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kNotFound);
    EXPECT_NE(e.message().find("absent"), std::string::npos);
  }
}

TEST(Subrange, RefusesWhatLiesOutside) {
  const Bytes bytes = AsBytes("0123456789");
  EXPECT_EQ(AsText(Subrange(bytes, 2, 3, "x")), "234");
  EXPECT_EQ(Subrange(bytes, 10, 0, "x").size(), 0u);
  EXPECT_THROW(Subrange(bytes, 11, 0, "x"), Error);
  EXPECT_THROW(Subrange(bytes, 8, 3, "x"), Error);
  EXPECT_THROW(Subrange(bytes, 1, UINT64_MAX, "x"), Error);
}

}  // namespace
}  // namespace litertlm
