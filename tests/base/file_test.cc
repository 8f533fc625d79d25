#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

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

TEST_F(FileTest, FoldersOfAFileThatWasNotCommittedAreRemoved) {
  fs::create_directories(folder_ / "there");
  AtomicFile(folder_ / "there" / "deep" / "deeper" / "file").Write(AsBytes("hello"));
  EXPECT_FALSE(fs::exists(folder_ / "there" / "deep"));
  EXPECT_TRUE(fs::exists(folder_ / "there"));
}

TEST_F(FileTest, FoldersOfAFileThatCannotBeMadeAreRemoved) {
  const std::string too_long(300, 'x');
  EXPECT_THROW(AtomicFile(folder_ / "deep" / too_long), Error);
  EXPECT_THROW(AtomicFile(folder_ / "deep" / too_long / "file"), Error);
  EXPECT_FALSE(fs::exists(folder_ / "deep"));
}

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

// Bytes are collected to blocks: pieces that fill one exactly, cross its end, or are longer.
TEST_F(FileTest, PiecesOfAnySizeArriveInOrder) {
  const fs::path path = folder_ / "file";
  std::string expected;
  AtomicFile file(path);
  for (const size_t size : {3, 4'194'301, 1, 0, 4'194'303, 9'000'000, 7}) {
    std::string piece(size, '\0');
    for (size_t i = 0; i < size; ++i) piece[i] = static_cast<char>((expected.size() + i) * 31 >> 3);
    file.Write(AsBytes(piece));
    expected += piece;
    EXPECT_EQ(file.written(), expected.size());
  }
  file.Commit();
  EXPECT_EQ(file.written(), expected.size());
  EXPECT_TRUE(ReadFile(path) == expected);
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

// A process that writes a file, was killed in the middle of it, and is no longer known to the
// system.
pid_t KillAWriterOf(const fs::path& path) {
  const pid_t process = ::fork();
  if (process == 0) {
    AtomicFile file(path);
    file.Write(AsBytes("half"));
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(process, nullptr, 0);
  return process;
}

TEST_F(FileTest, WhatAKilledWriterLeftIsRemovedByTheNext) {
  const fs::path path = folder_ / "file";
  const auto partial = [&](const auto& process) {
    return folder_ / fmt::format("file.{}.partial", process);
  };
  const fs::path left = partial(KillAWriterOf(path));
  EXPECT_TRUE(fs::exists(left));
  const fs::path others[] = {partial(::getppid()), partial("x"), folder_ / "file.partial",
                             folder_ / "other.999999999.partial"};
  for (const fs::path& other : others) std::ofstream(other) << "other";
  AtomicFile(path).Write(AsBytes("new"));
  EXPECT_FALSE(fs::exists(left));
  for (const fs::path& other : others) EXPECT_TRUE(fs::exists(other)) << other;
}

TEST_F(FileTest, APipeOrAFolderIsNotReplaced) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const fs::path link = folder_ / "link";
  fs::create_symlink(pipe, link);
  for (const fs::path& path : {pipe, link, folder_}) EXPECT_THROW(AtomicFile{path}, Error) << path;
  EXPECT_TRUE(fs::is_fifo(pipe));
  EXPECT_EQ(FilesInFolder(), 2u);
}

TEST_F(FileTest, AWriterThatIsOnlyNotSeenKeepsItsFile) {
  const fs::path path = folder_ / "file";
  const fs::path partial = folder_ / "file.999999999.partial";  // Beyond every system's numbers.
  const int writer = ::open(partial.c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(::flock(writer, LOCK_EX), 0);
  AtomicFile(path).Write(AsBytes("new"));
  EXPECT_TRUE(fs::exists(partial));
  ::close(writer);
  AtomicFile(path).Write(AsBytes("new"));
  EXPECT_FALSE(fs::exists(partial));
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
