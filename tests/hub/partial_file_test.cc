#include "hub/partial_file.h"

#include "tests/hub/hub_fixture.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class PartialFileTest : public testing::Test {
 protected:
  PartialFileTest() { fs::remove_all(folder_); }
  ~PartialFileTest() override { fs::remove_all(folder_); }
  Bytes Block(uint64_t block) const {
    return AsBytes(std::string_view(content_).substr(block * kBlockSize, kBlockSize));
  }

  const fs::path folder_ = ScratchPath("hub_partial");
  const fs::path path_ = folder_ / "deep" / "file";
  const std::string content_ = RandomBytes(3 * kBlockSize + 1000, 1);
  const ContentId id_{content_.size(), std::string(64, 'a'), {}};
};

TEST_F(PartialFileTest, GoesOnWhereItStopped) {
  {
    PartialFile file(path_, id_);
    EXPECT_EQ(file.blocks(), 4u);
    EXPECT_TRUE(file.Store(3, Block(3)));
    EXPECT_TRUE(file.Store(1, Block(1)));
  }
  EXPECT_EQ(PartialFile::StoredBytes(path_, id_), kBlockSize + 1000);
  PartialFile file(path_, id_);
  EXPECT_FALSE(file.Has(0));
  EXPECT_TRUE(file.Has(1));
  EXPECT_EQ(file.stored(), kBlockSize + 1000);
  EXPECT_FALSE(file.Store(1, Block(1)));
  file.Store(0, Block(0));
  file.Store(2, Block(2));
  EXPECT_FALSE(fs::exists(path_));
  file.Commit();
  EXPECT_EQ(ReadFile(path_), content_);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "deep"), {}), 1);
}

TEST_F(PartialFileTest, AnotherContentBeginsAnew) {
  { PartialFile(path_, id_).Store(0, Block(0)); }
  ContentId other = id_;
  other.sha256 = std::string(64, 'b');
  EXPECT_EQ(PartialFile::StoredBytes(path_, other), 0u);
  EXPECT_EQ(PartialFile(path_, other).stored(), 0u);
}

TEST_F(PartialFileTest, ADamagedMapBeginsAnew) {
  { PartialFile(path_, id_).Store(0, Block(0)); }
  fs::path map = path_;
  map += kBlockMapSuffix;
  fs::resize_file(map, fs::file_size(map) - 1);
  EXPECT_EQ(PartialFile(path_, id_).stored(), 0u);
}

TEST_F(PartialFileTest, FindsBlocksThatTheDiskLost) {
  PartialFile file(path_, id_);
  for (uint64_t i = 0; i < 4; ++i) file.Store(i, Block(i));
  EXPECT_TRUE(file.DamagedBlocks().empty());
  std::fstream disk(file.partial_path(), std::ios::in | std::ios::out | std::ios::binary);
  disk.seekp(2 * kBlockSize + 5);
  disk.put('\0').put('\0').put('\0');
  disk.close();
  EXPECT_THAT(file.DamagedBlocks(), ElementsAre(2));
}

TEST_F(PartialFileTest, AnEmptyFileIsComplete) {
  PartialFile file(path_, {});
  EXPECT_EQ(file.blocks(), 0u);
  file.Commit();
  EXPECT_EQ(fs::file_size(path_), 0u);
}

}  // namespace
}  // namespace litertlm
