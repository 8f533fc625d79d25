// What is seen of a download: on a terminal, through a pipe and by programs; and the question of
// `rm`.
#include <map>
#include <regex>
#include <sstream>

#include "base/json.h"
#include "tests/hub/command_fixture.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kCtrlC = '\x03';

class DisplayTest : public CommandTest {
 protected:
  void Serve(size_t size) {
    content_ = RandomBytes(size, 8);
    server_.Add("o/m", {{"m.litertlm", content_}});
  }
  static std::vector<std::string> Lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  std::string content_;
};

TEST_F(DisplayTest, TerminalShowsBytesRateAndTimeLeft) {
  Serve(4 << 20);
  server_.HoldAt(1 << 20);
  Terminal terminal(Command({"pull", "o/m"}));
  ASSERT_TRUE(terminal.WaitFor("Downloading m.litertlm: "));
  server_.HoldAt(3 << 20);
  ASSERT_TRUE(terminal.WaitFor(" left"));
  server_.Release();
  EXPECT_EQ(terminal.Wait(), 0) << terminal.shown();
  const std::regex moving(
      "Downloading m.litertlm: +[0-9]+ %  [0-9.]+ [kM]B of 4.2 MB  [0-9.]+ [kM]B/s  "
      "[0-9.]+ s left");
  EXPECT_TRUE(std::regex_search(terminal.shown(), moving)) << terminal.shown();
  // The line stays, as a summary.
  EXPECT_THAT(terminal.Screen(), Contains(AllOf(StartsWith("Downloading m.litertlm: 4.2 MB  "),
                                                HasSubstr("B/s  in "))));
}

TEST_F(DisplayTest, TerminalKeepsOneLineForEachFile) {
  server_.Add(Fixture("o/m", "tiny-qwen3"));
  Terminal terminal(Command({"pull", "o/m"}));
  EXPECT_EQ(terminal.Wait(), 0) << terminal.shown();
  const std::vector<std::string> screen = terminal.Screen();
  EXPECT_THAT(screen, Contains(StartsWith("Downloading tokenizer.json: 95.4 kB")));
  EXPECT_THAT(screen, Contains(StartsWith("Downloading model.safetensors: 2.2 MB")));
  EXPECT_THAT(screen, Not(Contains(HasSubstr("%"))));
}

// The first second after a resume: what an earlier run brought is not this one's speed.
TEST_F(DisplayTest, RateOfAResumedDownloadIsItsOwn) {
  Serve(16 << 20);
  server_.HoldAt(12 << 20);
  Process first(Command({"pull", "o/m"}));
  AwaitServed(12 << 20);
  first.Signal(SIGKILL);
  first.Wait();
  server_.Release();
  server_.LimitRate(1 << 20);  // Of each of four connections.
  Terminal second(Command({"pull", "o/m"}));
  EXPECT_EQ(second.Wait(), 0) << second.shown();
  const std::regex rate("([0-9.]+) MB/s  ([0-9.]+) s left");
  const std::string shown = second.shown();
  for (std::sregex_iterator match(shown.begin(), shown.end(), rate), end; match != end; ++match) {
    EXPECT_LT(std::stod((*match)[1]), 20) << match->str();
  }
  EXPECT_THAT(shown, HasSubstr(" left"));
}

TEST_F(DisplayTest, PipeGetsPlainLines) {
  Serve(1 << 20);
  const Outcome outcome = Run({"pull", "o/m"});
  EXPECT_THAT(outcome.err, HasSubstr("\nDownloading m.litertlm\n"));
  EXPECT_THAT(outcome.err, AllOf(Not(HasSubstr("\r")), Not(HasSubstr("\033"))));
}

TEST_F(DisplayTest, QuietSaysNothing) {
  server_.Add(Fixture("google/gemma-3-1b-it", "tiny-gemma3"));
  const Outcome outcome = Run({"run", "google/gemma-3-1b", "--prompt", kQuestion, "--quiet"});
  EXPECT_EQ(outcome.out, kAnswer);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(DisplayTest, ProgramsReadJson) {
  server_.Add(Fixture("google/gemma-3-1b-it", "tiny-gemma3"));
  const Outcome outcome = Run({"convert", "google/gemma-3-1b", "--progress", "json"});
  EXPECT_EQ(outcome.status, 0);
  std::map<std::string, Json> last;
  std::vector<std::string> notices;
  for (const std::string& line : Lines(outcome.err)) {
    const Json event = Json::parse(line);
    if (event.contains("notice")) {
      notices.push_back(event["notice"]);
    } else {
      last[event["phase"]] = event;
    }
  }
  ASSERT_THAT(last, Contains(testing::Key("Downloading model.safetensors")));
  ASSERT_THAT(last, Contains(testing::Key("Writing weights")));
  for (const auto& [phase, event] : last) EXPECT_EQ(event["done"], event["total"]) << phase;
  EXPECT_EQ(last["Downloading model.safetensors"]["total"],
            fs::file_size(models_ / "google/gemma-3-1b-it/checkpoint/model.safetensors"));
  EXPECT_THAT(notices, Contains(HasSubstr("google/gemma-3-1b has no repository of its own")));
}

TEST_F(DisplayTest, RemoveAsksFirst) {
  Serve(1 << 20);
  ASSERT_EQ(Run({"pull", "o/m"}).status, 0);
  const std::string question = "Remove " + (models_ / "o/m").string() + " (1.0 MB)? [y/N] ";
  for (const char* answer : {"\r", "n\r", "yess\r", "\x04", "\x03"}) {
    Terminal terminal(Command({"rm", "o/m"}));
    ASSERT_TRUE(terminal.WaitFor(question));
    terminal.Type(answer);
    EXPECT_EQ(terminal.Wait(), 130) << terminal.shown();
    EXPECT_TRUE(fs::exists(models_ / "o/m/m.litertlm"));
    const bool ended = *answer == kCtrlC;  // By the signal: it says nothing.
    EXPECT_EQ(terminal.shown().find("Nothing was removed.") == std::string::npos, ended);
  }
  Terminal terminal(Command({"rm", "o/m"}));
  ASSERT_TRUE(terminal.WaitFor(question));
  terminal.Type("y\r");
  EXPECT_EQ(terminal.Wait(), 0) << terminal.shown();
  EXPECT_THAT(terminal.shown(), HasSubstr("Removed " + (models_ / "o/m").string()));
  ExpectNothingOf("o");
}

}  // namespace
}  // namespace litertlm
