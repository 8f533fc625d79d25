// Downloads that survive what happens on the way, through the built program.
#include <signal.h>

#include "tests/hub/command_fixture.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Trouble {
  const char* about;
  void (*begin)(HubServer& server);

  friend void PrintTo(const Trouble& trouble, std::ostream* out) { *out << trouble.about; }
};

class TroubleTest : public CommandTest, public testing::WithParamInterface<Trouble> {};

TEST_P(TroubleTest, TheFileArrivesWhole) {
  const std::string content = RandomBytes(6 << 20, 4);
  server_.Add("o/m", {{"m.litertlm", content}});
  GetParam().begin(server_);
  const Outcome outcome =
      Run({"pull", "o/m"}, {{"HF_TOKEN", kReaderToken}, {"HF_HUB_DOWNLOAD_TIMEOUT", "1"}});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  ExpectOnly(content);
  EXPECT_EQ(server_.leaked_tokens(), 0);
  EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr(kReaderToken)));
}

INSTANTIATE_TEST_SUITE_P(
    OnTheWay, TroubleTest,
    testing::Values(
        Trouble{"None", [](HubServer&) {}},
        Trouble{"Cut",
                [](HubServer& server) {
                  server.CutAt({1 << 20, 2 << 20, 5 << 20});
                }},
        Trouble{"Stalled", [](HubServer& server) { server.Stall(1); }},
        Trouble{"Slow", [](HubServer& server) { server.LimitRate(8 << 20); }},
        Trouble{"Corrupted", [](HubServer& server) { server.Corrupt("m.litertlm", 1 << 20, 1); }},
        Trouble{"LinkExpired", [](HubServer& server) { server.Fail("X-Amz", 3, 403); }},
        Trouble{"ServerBroken", [](HubServer& server) { server.Fail("X-Amz", 1, 503); }},
        Trouble{"HubBroken", [](HubServer& server) { server.Fail("/tree/", 1, 500); }},
        Trouble{"RateLimited",
                [](HubServer& server) { server.Fail("/tree/", 1, 429, "Retry-After: 0\r\n"); }},
        Trouble{"RangesIgnored", [](HubServer& server) { server.IgnoreRanges(); }}),
    [](const auto& test) { return test.param.about; });

class EnduranceTest : public CommandTest {};

TEST_F(EnduranceTest, InterruptedDownloadSaysHowToGoOn) {
  const std::string content = RandomBytes(8 << 20, 3);
  server_.Add("o/m", {{"m.litertlm", content}});
  for (const int signal : {SIGINT, SIGTERM}) {
    const uint64_t hold = server_.bytes_served() + (2 << 20);
    server_.HoldAt(hold);
    Process pull(Command({"pull", "o/m"}));
    AwaitServed(hold);
    const Outcome remove = Run({"rm", "o/m", "--yes"});
    EXPECT_EQ(remove.status, 74);
    EXPECT_THAT(remove.err, HasSubstr("o/m is being downloaded."));
    pull.Signal(signal);
    const Outcome outcome = pull.Wait();
    EXPECT_EQ(outcome.status, 130);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("Interrupted: "),
                                   HasSubstr("Run the same command again to go on from there.")));
    EXPECT_FALSE(fs::exists(models_ / "o/m/m.litertlm"));
    EXPECT_THAT(Run({"list"}).out, HasSubstr("partial download"));
  }
  server_.Release();
  EXPECT_EQ(Run({"pull", "o/m"}).status, 0);
  ExpectOnly(content);
  EXPECT_LT(server_.bytes_served(), content.size() * 3 / 2);
}

TEST_F(EnduranceTest, TwoProcessesShareOneDownload) {
  const std::string content = RandomBytes(8 << 20, 6);
  server_.Add("o/m", {{"m.litertlm", content}});
  server_.HoldAt(1 << 20);
  Process first(Command({"pull", "o/m"}));
  AwaitServed(1 << 20);
  Terminal second(Command({"pull", "o/m"}));
  ASSERT_TRUE(second.WaitFor("Another process is downloading o/m: waiting for it."));
  server_.Release();
  EXPECT_EQ(first.Wait().status, 0);
  EXPECT_EQ(second.Wait(), 0) << second.shown();
  ExpectOnly(content);
  EXPECT_EQ(server_.bytes_served(), content.size());
}

// Of two that begin together, neither waits in vain and nothing is fetched twice, whoever is first.
TEST_F(EnduranceTest, TwoProcessesRunTheSameModelAtOnce) {
  server_.Add(Fixture("Qwen/Tiny-Qwen3", "tiny-qwen3"));
  const Invocation ask =
      Command({"run", "Qwen/Tiny-Qwen3", "--prompt", kQuestion, "--temperature", "0"});
  Process first(ask);
  Process second(ask);
  EXPECT_EQ(first.Wait().out, kAnswer);
  EXPECT_EQ(second.Wait().out, kAnswer);
  EXPECT_LT(server_.bytes_served(),
            2 * fs::file_size(models_ / "Qwen/Tiny-Qwen3/checkpoint/model.safetensors"));
}

// The connection is cut twenty times and the process killed five times, at random places that a
// fixed seed chooses.
TEST_F(EnduranceTest, LargeDownloadSurvivesCutsAndKills) {
  constexpr size_t kSize = 200'000'000;
  const std::string content = RandomBytes(kSize, 11);
  server_.Add("o/m", {{"m.litertlm", content}});
  // Or the kernel would hold megabytes that a killed process has not read yet.
  server_.LimitRate(32 << 20);
  std::mt19937 random(5);
  std::uniform_int_distribution<uint64_t> place(0, kSize - 1);
  std::vector<uint64_t> cuts(20);
  std::vector<uint64_t> kills(5);
  for (uint64_t& at : cuts) at = place(random);
  for (uint64_t& at : kills) at = place(random);
  std::sort(kills.begin(), kills.end());
  server_.CutAt(cuts);
  const Invocation pull = Command({"pull", "o/m"});
  for (const uint64_t at : kills) {
    server_.HoldAt(at);
    Process killed(pull);
    AwaitServed(at);
    killed.Signal(SIGKILL);
    EXPECT_EQ(killed.Wait().status, 128 + SIGKILL);
    EXPECT_FALSE(fs::exists(models_ / "o/m/m.litertlm"));
  }
  server_.Release();
  EXPECT_EQ(Invoke(pull).status, 0);
  EXPECT_EQ(server_.cuts_left(), 0u);
  ExpectOnly(content);
  EXPECT_LT(server_.bytes_served(), kSize / 10 * 11);
  std::cout << "fetched " << 100.0 * static_cast<double>(server_.bytes_served()) / kSize
            << " % of the file\n";
}

}  // namespace
}  // namespace litertlm
