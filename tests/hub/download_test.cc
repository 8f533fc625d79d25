#include "hub/download.h"

#include <thread>

#include "hub/fetch.h"
#include "hub/partial_file.h"
#include "tests/hub/hub_fixture.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Counts what is reported, and cancels once so many bytes have come.
class CountingProgress : public Progress {
 public:
  void Begin(std::string_view phase, uint64_t) override { phases.emplace_back(phase); }
  void Update(uint64_t done, std::string_view) override { last = done; }
  void End() override {}
  bool Cancelled() const override { return last >= cancel_at; }

  std::vector<std::string> phases;
  uint64_t last = 0;
  uint64_t cancel_at = UINT64_MAX;
};

class DownloadTest : public HubTest {
 protected:
  void Serve(size_t size) {
    content_ = RandomBytes(size, 7);
    server_.Add("o/m", {{"m.litertlm", content_}, {"config.json", "{\"a\": 1}"}});
  }
  void Run(const DownloadOptions& options = {}) {
    const Repository repository = HubClient(Options()).Open("o/m", "main");
    Download(Options(), repository, repository.files, folder_ / "to", options);
  }
  void ExpectComplete() {
    EXPECT_TRUE(ReadFile(folder_ / "to" / "m.litertlm", UINT64_MAX) == content_);
    EXPECT_EQ(ReadFile(folder_ / "to" / "config.json"), "{\"a\": 1}");
    EXPECT_EQ(FilesLeft(), 2);
  }
  long FilesLeft() const {
    return fs::exists(folder_ / "to")
               ? std::distance(fs::directory_iterator(folder_ / "to"), fs::directory_iterator())
               : 0;
  }

  std::string content_;
};

TEST_F(DownloadTest, BringsFilesWithProgress) {
  Serve(5 << 20);
  CountingProgress progress;
  Run({.progress = &progress});
  ExpectComplete();
  EXPECT_THAT(progress.phases,
              testing::ElementsAre("Downloading config.json", "Downloading m.litertlm"));
  EXPECT_EQ(progress.last, content_.size());
  EXPECT_EQ(server_.bytes_served(), content_.size() + 8);
}

TEST_F(DownloadTest, WhatIsThereIsNotFetchedAgain) {
  Serve(3 << 20);
  Run();
  const uint64_t served = server_.bytes_served();
  Run();
  EXPECT_EQ(server_.bytes_served(), served);
  // But a file that was changed is.
  WriteFile(folder_ / "to" / "m.litertlm", "changed");
  Run();
  ExpectComplete();
}

TEST_F(DownloadTest, LargeFilesComeOverSeveralConnections) {
  Serve(24 << 20);
  Run({.connections = 3});
  ExpectComplete();
  int cdn = 0;
  for (const ServedRequest& request : server_.requests()) cdn += request.cdn ? 1 : 0;
  EXPECT_GT(cdn, 3);
}

TEST_F(DownloadTest, CutConnectionsLoseNothing) {
  Serve(8 << 20);
  server_.CutAt({1 << 20, 2 << 20, 2 << 20, 5 << 20, 7 << 20});
  Run();
  ExpectComplete();
  EXPECT_LT(server_.bytes_served(), content_.size() * 11 / 10);
}

TEST_F(DownloadTest, ExpiredLinksAreAskedForAgain) {
  Serve(20 << 20);
  server_.HoldAt(4 << 20);
  std::thread expire([this] {
    AwaitServed(4 << 20);
    server_.ExpireLinks();
    server_.Release();
  });
  Run();
  expire.join();
  ExpectComplete();
}

TEST_F(DownloadTest, CorruptPartIsFoundAndFetchedAgain) {
  Serve(24 << 20);
  server_.Corrupt("m.litertlm", 9 << 20, 1);
  Run();
  ExpectComplete();
  // Up to the corrupt part, not the whole twice.
  EXPECT_LT(server_.bytes_served(), content_.size() * 7 / 4);
}

TEST_F(DownloadTest, PartsOfTroubledConnectionsAreSuspectedFirst) {
  Serve(24 << 20);
  server_.Corrupt("m.litertlm", 23 << 20, 1);
  server_.CutAt({23 << 20});
  Run({.connections = 1});
  ExpectComplete();
  EXPECT_LT(server_.bytes_served(), content_.size() * 11 / 10);
}

TEST_F(DownloadTest, CorruptSmallFileIsFetchedAgain) {
  Serve(1 << 20);
  server_.Corrupt("config.json", 3, 1);
  Run();
  ExpectComplete();
}

TEST_F(DownloadTest, ContentThatIsNeverRightIsRefused) {
  Serve(2 << 20);
  server_.Corrupt("m.litertlm", 1000, 99);
  const Error error = ErrorOf([&] { Run(); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_THAT(error.message(), HasSubstr("m.litertlm does not have the checksum"));
  EXPECT_EQ(FilesLeft(), 1);  // config.json, which is right.
}

TEST_F(DownloadTest, ServerThatIgnoresRangesStillWorks) {
  Serve(20 << 20);
  server_.IgnoreRanges();
  Run();
  ExpectComplete();
}

TEST_F(DownloadTest, CancelledDownloadGoesOnLater) {
  Serve(16 << 20);
  server_.HoldAt(8 << 20);
  CountingProgress progress;
  progress.cancel_at = 4 << 20;
  const Error error = ErrorOf([&] { Run({.progress = &progress}); });
  EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  EXPECT_THAT(error.message(), HasSubstr("of 16.8 MB of o/m are here"));
  EXPECT_THAT(error.hint(), HasSubstr("again to go on"));
  server_.Release();
  Run();
  ExpectComplete();
  EXPECT_LT(server_.bytes_served(), content_.size() * 6 / 5);
}

TEST_F(DownloadTest, AnotherContentStartsOver) {
  Serve(4 << 20);
  server_.Fail("X-Amz", 99, 500);
  server_.CutAt({1 << 20});
  ErrorOf([&] { Run(); });
  content_ = RandomBytes(4 << 20, 8);
  HubServer changed;
  changed.Add("o/m", {{"m.litertlm", content_}, {"config.json", "{\"a\": 1}"}});
  HubOptions options = Options();
  options.endpoint = changed.endpoint();
  const Repository repository = HubClient(options).Open("o/m", "main");
  Download(options, repository, repository.files, folder_ / "to", {});
  ExpectComplete();
}

TEST_F(DownloadTest, LostBlocksOfAnEarlierRunAreFetchedAgain) {
  Serve(4 << 20);
  {
    const Repository repository = HubClient(Options()).Open("o/m", "main");
    PartialFile file(folder_ / "to" / "m.litertlm", repository.Find("m.litertlm")->content);
    for (uint64_t i = 0; i < file.blocks(); ++i) {
      file.Store(i, AsBytes(std::string_view(content_).substr(i * kBlockSize, kBlockSize)));
    }
    fs::resize_file(file.partial_path(), 2 << 20);
    fs::resize_file(file.partial_path(), 4 << 20);  // Zeros, as after a power failure.
  }
  Run();
  ExpectComplete();
  EXPECT_LT(server_.bytes_served(), content_.size() * 6 / 10);
}

TEST_F(DownloadTest, TooLittleDiskSpaceIsSaidBeforeTheFirstByte) {
  server_.AddRawListingEntry(
      R"({"type": "file", "path": "m.litertlm", "size": 9000000000000000000})");
  server_.Add("o/m", std::map<std::string, std::string>{});
  const Error error = ErrorOf([&] { Run(); });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_THAT(error.message(), HasSubstr("The disk is too full"));
  EXPECT_EQ(server_.bytes_served(), 0u);
  EXPECT_EQ(FilesLeft(), 0);
}

TEST_F(DownloadTest, RefusedFilesLeaveNothing) {
  server_.Add({.name = "o/m",
               .files = {{"config.json", std::make_shared<const std::string>("{}"), false}},
               .gated = true});
  const FetchOptions options{.hub = Options(), .models = folder_ / "models"};
  const Repository repository = HubClient(Options()).Open("o/m", "main");
  EXPECT_EQ(ErrorOf([&] { FetchFiles(options, repository, repository.files); }).code(),
            ErrorCode::kDenied);
  EXPECT_FALSE(fs::exists(folder_ / "models" / "o"));
}

class FetchTest : public HubTest {
 protected:
  FetchOptions Fetching() const { return {.hub = Options(), .models = folder_ / "models"}; }
  fs::path FetchIt(const ConfigCheck& check = {}) {
    return FetchCheckpoint(Fetching(), HubClient(Options()).Open("o/m", "main"), check);
  }
};

TEST_F(FetchTest, ShardedCheckpointAppearsWhole) {
  server_.Add("o/m", {{"config.json", "{}"},
                      {"tokenizer.json", "{}"},
                      {"README.md", "# m"},
                      {"model.safetensors.index.json",
                       R"({"weight_map": {"x": "1.safetensors", "y": "2.safetensors"}})"},
                      {"1.safetensors", RandomBytes(100, 1)},
                      {"2.safetensors", RandomBytes(200, 2)},
                      {"3.safetensors", RandomBytes(300, 3)}});
  uint64_t weight_bytes = 0;
  const fs::path checkpoint = FetchIt([&](const fs::path& config, uint64_t bytes) {
    EXPECT_EQ(ReadFile(config), "{}");
    weight_bytes = bytes;
    return uint64_t{0};
  });
  EXPECT_EQ(checkpoint, folder_ / "models/o/m/checkpoint");
  EXPECT_GE(weight_bytes, 300u);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(checkpoint))
    names.push_back(entry.path().filename());
  EXPECT_THAT(names, testing::UnorderedElementsAre("config.json", "tokenizer.json",
                                                   "model.safetensors.index.json", "1.safetensors",
                                                   "2.safetensors"));
  EXPECT_FALSE(fs::exists(folder_ / "models/o/m/checkpoint.partial"));
}

TEST_F(FetchTest, RefusedConfigStopsBeforeTheWeights) {
  server_.Add("o/m", {{"config.json", "{}"}, {"model.safetensors", RandomBytes(1 << 20, 1)}});
  const Error error = ErrorOf([&] {
    FetchIt(
        [](const fs::path&, uint64_t) -> uint64_t { throw Error(ErrorCode::kUnsupported, "No."); });
  });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_EQ(server_.bytes_served(), 2u);
  EXPECT_FALSE(fs::exists(folder_ / "models/o"));
}

TEST_F(FetchTest, AnotherRevisionReplacesWhatChanged) {
  server_.Add("o/m", {{"config.json", "{}"}, {"model.safetensors", RandomBytes(1 << 20, 1)}});
  FetchIt();
  const uint64_t served = server_.bytes_served();
  FetchIt();
  EXPECT_EQ(server_.bytes_served(), served);
  server_.Add("o/m",
              {{"config.json", "{\"new\": 1}"}, {"model.safetensors", RandomBytes(1 << 20, 1)}});
  const fs::path checkpoint = FetchIt();
  EXPECT_EQ(ReadFile(checkpoint / "config.json"), "{\"new\": 1}");
  EXPECT_EQ(server_.bytes_served(), served + 10);
}

}  // namespace
}  // namespace litertlm
