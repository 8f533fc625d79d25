// The chat, typed on a pseudo-terminal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "tests/cli/program.h"

namespace litertlm {
namespace {

using testing::HasSubstr;

constexpr char kCtrlC[] = "\x03";
constexpr char kCtrlD[] = "\x04";
constexpr char kUp[] = "\033[A";

class ChatTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ConvertOnce("tiny-qwen3"); }

  TestFolder state_;
};

TEST_F(ChatTest, RemembersTheTurnBefore) {
  Terminal terminal({"run", "tiny-qwen3", "--temperature", "0", "--max-tokens", "20"},
                    state_.path());
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("My name is Anna.\r");
  ASSERT_TRUE(terminal.WaitFor("Nice to meet you, Anna!\n"));
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("What is my name?\r");
  ASSERT_TRUE(terminal.WaitFor("Your name is Anna.\n"));
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("/clear\r");
  ASSERT_TRUE(terminal.WaitFor("A new conversation."));
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("What is my name?\r");
  ASSERT_TRUE(terminal.WaitForPrompt());
  EXPECT_EQ(terminal.shown().rfind("Your name is Anna."),
            terminal.shown().find("Your name is Anna."));
  terminal.Type(kCtrlD);
  EXPECT_EQ(terminal.Wait(), 0) << terminal.shown();
}

TEST_F(ChatTest, CtrlCStopsTheReplyAndNotTheProgram) {
  Terminal terminal({"run", "tiny-qwen3", "--ignore-eos", "--no-fusion"}, state_.path());
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("Tell me a story.\r");
  ASSERT_TRUE(terminal.WaitFor("Once upon"));
  terminal.Type(kCtrlC);
  ASSERT_TRUE(terminal.WaitFor("[stopped]"));
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("/bye\r");
  EXPECT_EQ(terminal.Wait(), 0) << terminal.shown();
}

TEST_F(ChatTest, CtrlCAtThePromptThrowsTheLineAway) {
  Terminal terminal({"run", "tiny-qwen3"}, state_.path());
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type(std::string("nonsense") + kCtrlC);
  ASSERT_TRUE(terminal.WaitFor("^C"));
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type(kCtrlC);
  ASSERT_TRUE(terminal.WaitFor("Ctrl-D or /bye leaves."));
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("What is the capital of France?\r");
  ASSERT_TRUE(terminal.WaitFor("The capital of France is Paris."));
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type(kCtrlD);
  EXPECT_EQ(terminal.Wait(), 0) << terminal.shown();
}

TEST_F(ChatTest, APasteOfSeveralLinesIsOneMessage) {
  Terminal terminal({"run", "tiny-qwen3", "--stats"}, state_.path());
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("\033[200~What is the capital\rof France?\rTell me.\033[201~");
  ASSERT_TRUE(terminal.WaitFor("Tell me."));
  terminal.Type("\r");
  // One reply, then the prompt.
  ASSERT_TRUE(terminal.WaitFor("seed"));
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type(kCtrlD);
  EXPECT_EQ(terminal.Wait(), 0) << terminal.shown();
  EXPECT_EQ(terminal.shown().find("seed"), terminal.shown().rfind("seed"));
}

TEST_F(ChatTest, KeepsAHistoryThatOnlyTheUserCanRead) {
  {
    Terminal terminal({"run", "tiny-qwen3"}, state_.path());
    ASSERT_TRUE(terminal.WaitForPrompt());
    terminal.Type("What is 7 plus 5?\r");
    ASSERT_TRUE(terminal.WaitFor("7 plus 5 is 12."));
    ASSERT_TRUE(terminal.WaitForPrompt());
    terminal.Type(kCtrlD);
    EXPECT_EQ(terminal.Wait(), 0) << terminal.shown();
  }
  struct stat info {};
  ASSERT_EQ(::stat((state_.path() / "litert-lm-cli/history").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  Terminal terminal({"run", "tiny-qwen3"}, state_.path());
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type(std::string(kUp) + "\r");
  ASSERT_TRUE(terminal.WaitFor("7 plus 5 is 12."));
}

TEST_F(ChatTest, ShowsTheThoughtAndTakesCommands) {
  Terminal terminal({"run", "tiny-qwen3"}, state_.path());
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("What is the capital of France? /think\r");
  ASSERT_TRUE(terminal.WaitFor("I know that it is Paris.\n\nThe capital of France is Paris.\n"));
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("/system You are a pirate.\r");
  ASSERT_TRUE(terminal.WaitFor("A new conversation with this system prompt."));
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("What is the capital of Kenya?\r");
  ASSERT_TRUE(terminal.WaitFor("Arr! The capital of Kenya is Nairobi."));
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("/stast\r");
  ASSERT_TRUE(terminal.WaitFor("There is no command /stast. Did you mean /stats?"));
  ASSERT_TRUE(terminal.WaitForPrompt());
  terminal.Type("/help\r");
  ASSERT_TRUE(terminal.WaitFor("/system TEXT"));
}

}  // namespace
}  // namespace litertlm
