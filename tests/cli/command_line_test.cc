// What is wrong with a command line, help, and the parts that make messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/help_text.h"
#include "cli/progress.h"
#include "tests/cli/program.h"

namespace litertlm {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(CommandLine, MistakesEndInOneSentenceAndStatus64) {
  const struct {
    std::vector<std::string> arguments;
    const char* message;
    const char* hint;
  } mistakes[] = {
      {{"rnu"}, "Unknown command rnu.", "Did you mean run?"},
      {{"run", "--temprature", "3"}, "Unknown option --temprature.", "--temperature"},
      {{"run", "--temprature=3"}, "Unknown option --temprature.", "--temperature"},
      {{"run", "a", "b"}, "Unexpected argument b.", "run --help"},
      {{"-x"}, "There is no command before -x.", "A command comes first"},
      {{"--prompt", "x"}, "There is no command before --prompt.", "A command comes first"},
      {{"help", "rnu"}, "Unknown command rnu.", "Did you mean run?"},
      {{"run", "--top-k"}, "--top-k needs a value.", "run --help"},
      {{"run", "--prompt", "x", "--prompt", "y"}, "--prompt is given more than once.", ""},
      {{"run", "--prompt=", "--json"}, "The prompt is empty.", "--prompt TEXT"},
      {{"run", "--top-k", "x", "--prompt", "x"}, "--top-k: \"x\" is not a whole number.", "--help"},
      {{"run", "--top-p", "x", "--prompt", "x"}, "--top-p: \"x\" is not a number.", "run --help"},
      {{"run", "--top-k", "99999999999"}, "--top-k: 99999999999 is out of range.", "run --help"},
      {{"run", "--seed", "-1"}, "--seed: -1 is below 0.", "run --help"},
      {{"run", "--seed", "18446744073709551616"}, "18446744073709551616 is out of range", "--help"},
      {{"run", "--prompt-file", ""}, "--prompt-file: the name is empty.", "run --help"},
      {{"run", "--file", "x", "--prompt", "x"}, "--file does not go with tiny-qwen3", "ORG/NAME"},
      {{"tokenize", "tiny-qwen3", "-x"}, "Unknown option -x.", "Put -- before"},
      {{"convert", "tiny-qwen3", "--threads", "0"}, "--threads 0 leaves nobody", "1 or more"},
      {{"pull", "tiny-qwen3"}, "tiny-qwen3 is here already", "run tiny-qwen3"},
      {{"run", "--threads", "-1", "--prompt", "x"}, "--threads: -1 is below 0.", "run --help"},
      {{"run", "tiny-qwen3", "--top-p", "3", "--prompt", "x"}, "The top-p is 3", ""},
      {{"run", "tiny-qwen3", "--temperature", "-1", "--prompt", "x"}, "The temperature is -1", ""},
      {{"run", "--ids", "1,x"}, "--ids: \"x\" is not a whole number.", "1,2,3"},
      {{"run", "--ids", "1", "--raw"}, "--ids cannot be combined", "run --help"},
      {{"run", "--ids", "1", "--system", "x"}, "--system", "run --help"},
      {{"run", "--ids", "99999"}, "99999", ""},
      {{"convert"}, "MODEL is required.", "convert --help"},
      {{"convert", "tiny-qwen3", "--quantize", "q4", "--force"}, "q4", "dynamic_int8"},
      {{"convert", "/etc/passwd"}, "/etc/passwd is a file", "checkpoint folder"},
      {{"logits", "tiny-qwen3", "--ids", "1"}, "--out is missing.", "--out"},
      {{"run", "--prompt", "x", "--threads", "0"}, "--threads 0 leaves nobody", "Choose 1 or more"},
      {{"run", "--prompt", "x", "--threads", "100000000"}, "100000000 threads", "each core"},
      {{"bench", "tiny-qwen3", "-t", "5000"}, "5000 threads are more than 1024", "each core"},
      {{"run", "--prompt", "x", "--prefill-threads", "0"},
       "--prefill-threads 0 leaves nobody",
       "Choose 1 or more"},
      {{"run", "--prompt", "x", "--kv-cache-type", "f64"},
       "--kv-cache-type f64 is not known",
       "f16"},
      {{"logits", "tiny-qwen3", "--out", "x.npy"}, "either --ids or --prompt", "logits --help"},
      {{"logits", "tiny-qwen3", "--ids", "1", "--raw", "--out", "x"},
       "only for --prompt",
       "--help"},
      {{"logits", "tiny-qwen3", "--prompt", "x", "--control", "--out", "x"}, "only for --raw", ""},
      {{"logits", "tiny-qwen3", "--prompt", "", "--raw", "--out", "x"}, "no tokens", "--prompt"},
      {{"detokenize", "tiny-qwen3", "99999"}, "99999", ""},
      {{"bench"}, "bench takes either MODEL or --synthetic.", "bench --help"},
      {{"bench", "tiny-qwen3", "--synthetic", "qwen3-0.6b"}, "either MODEL or --synthetic", ""},
      {{"bench", "--synthetic", "gpt-2"}, "no synthetic model \"gpt-2\"", "qwen3-0.6b"},
      {{"bench", "tiny-qwen3", "--quantize", "fp16"}, "--quantize is only for --synthetic", ""},
      {{"bench", "--synthetic", "qwen3-4b", "--quantize", "q4"}, "q4", "dynamic_int8"},
      {{"bench", "tiny-qwen3", "--kv-cache-type", "q8_0"},
       "--kv-cache-type q8_0 is not known",
       "int8"},
      {{"bench", "tiny-qwen3", "-p", "1,x"}, "--n-prompt: \"x\" is not a whole number.", "1,2,3"},
      {{"bench", "tiny-qwen3", "-n", "-5"}, "--n-gen: -5 is below 0.", "bench --help"},
      {{"bench", "tiny-qwen3", "-d", "-5"}, "--n-depth: -5 is below 0.", "bench --help"},
      {{"bench", "tiny-qwen3", "-t", "0"}, "--threads 0", "bench --help"},
      {{"bench", "tiny-qwen3", "-r", "0"}, "--repetitions 0", "bench --help"},
      {{"bench", "tiny-qwen3", "-p", "0", "-n", "0"}, "leave nothing to measure", "bench --help"},
      {{"bench", "tiny-qwen3", "-o", "xml"}, "Unknown value for --output: xml.", "csv"},
      {{"bench", "tiny-qwen3", "-o", "csv", "--json"}, "--json contradicts --output csv.", ""},
  };
  for (const auto& mistake : mistakes) {
    const Outcome outcome = RunProgram(mistake.arguments);
    SCOPED_TRACE(testing::PrintToString(mistake.arguments));
    EXPECT_EQ(outcome.status, 64);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(std::string("error: ")));
    EXPECT_THAT(outcome.err, HasSubstr(mistake.message));
    EXPECT_THAT(outcome.err, HasSubstr(mistake.hint));
  }
}

TEST(CommandLine, EveryCommandExplainsItselfWithExamples) {
  const Outcome program = RunProgram({"--help"});
  EXPECT_EQ(program.status, 0);
  for (const std::string command : {"run", "convert", "pull", "list", "show", "rm", "search",
                                    "inspect", "tokenize", "detokenize", "logits", "bench"}) {
    EXPECT_THAT(program.out, HasSubstr("\n  " + command + " "));
    const Outcome outcome = RunProgram({command, "--help"});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_THAT(outcome.out, HasSubstr("Usage: litert-lm-cli " + command + " "));
    EXPECT_THAT(outcome.out, HasSubstr("Examples:\n  litert-lm-cli " + command));
    EXPECT_THAT(outcome.out, Not(HasSubstr("\n\n\n")));
    EXPECT_EQ(RunProgram({"help", command}).out, outcome.out);
    EXPECT_EQ(RunProgram({"--help", command}).out, outcome.out);
  }
  EXPECT_EQ(RunProgram({}).out, program.out);
  EXPECT_EQ(RunProgram({"help"}).out, program.out);
}

TEST(CommandLine, ThreadsThatCannotBeStartedAreAMistake) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs more memory than the limit leaves";
#endif
  const Outcome outcome =
      Invoke({.arguments = {"run", "tiny-qwen3", "--prompt", "x", "--threads", "1000"},
              .wrapper = {"sh", "-c", "ulimit -v 1000000 && exec \"$@\"", "sh"}});
  EXPECT_EQ(outcome.status, 64);
  EXPECT_THAT(outcome.err, HasSubstr("Cannot start 1000 threads"));
  EXPECT_THAT(outcome.err, HasSubstr("Choose fewer"));
}

TEST(HelpText, FoldsExplanationsAndLeavesExamplesAlone) {
  EXPECT_EQ(LayOutHelp("  --name VALUE              one two three four\n\n\n"
                       "Examples:\n  a line that is longer than all that\n\n",
                       36),
            "  --name VALUE              one two\n"
            "                            three\n"
            "                            four\n\n"
            "Examples:\n  a line that is longer than all that\n");
}

TEST(CommandLine, SaysItsVersion) {
  const Outcome outcome = RunProgram({"--version"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(RunProgram({"-V"}).out, outcome.out);
  EXPECT_THAT(outcome.out, testing::MatchesRegex("litert-lm-cli [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Elide, LeavesTheMiddleOut) {
  EXPECT_EQ(Elide("short", 10), "short");
  EXPECT_EQ(Elide("model.layers.11.q_proj", 12), "model…q_proj");
}

}  // namespace
}  // namespace litertlm
