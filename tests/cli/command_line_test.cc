// What is wrong with a command line, help, and the parts that make messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/progress.h"
#include "tests/cli/program.h"

namespace litertlm {
namespace {

using testing::HasSubstr;
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
      {{"run", "--top-k"}, "--top-k", "run --help"},
      {{"run", "--top-k", "x", "--prompt", "x"}, "--top-k", "run --help"},
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
      {{"detokenize", "tiny-qwen3", "99999"}, "99999", ""},
      {{"bench"}, "bench takes either MODEL or --synthetic.", "bench --help"},
      {{"bench", "tiny-qwen3", "--synthetic", "qwen3-0.6b"}, "either MODEL or --synthetic", ""},
      {{"bench", "--synthetic", "gpt-2"}, "no synthetic model \"gpt-2\"", "qwen3-0.6b"},
      {{"bench", "tiny-qwen3", "--quantize", "fp16"}, "--quantize is only for --synthetic", ""},
      {{"bench", "--synthetic", "qwen3-4b", "--quantize", "q4"}, "q4", "dynamic_int8"},
      {{"bench", "tiny-qwen3", "-p", "1,x"}, "--n-prompt: \"x\" is not a whole number.", "1,2,3"},
      {{"bench", "tiny-qwen3", "-n", "-5"}, "--n-gen: -5 is below 0.", "bench --help"},
      {{"bench", "tiny-qwen3", "-d", "-5"}, "--n-depth: -5 is below 0.", "bench --help"},
      {{"bench", "tiny-qwen3", "-t", "0"}, "--threads 0", "bench --help"},
      {{"bench", "tiny-qwen3", "-r", "0"}, "--repetitions 0", "bench --help"},
      {{"bench", "tiny-qwen3", "-p", "0", "-n", "0"}, "leave nothing to measure", "bench --help"},
      {{"bench", "tiny-qwen3", "-o", "xml"}, "Unknown value for --output: xml.", "csv"},
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
  }
  EXPECT_EQ(RunProgram({}).out, program.out);
}

TEST(CommandLine, SaysItsVersion) {
  const Outcome outcome = RunProgram({"--version"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, testing::MatchesRegex("litert-lm-cli [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Elide, LeavesTheMiddleOut) {
  EXPECT_EQ(Elide("short", 10), "short");
  EXPECT_EQ(Elide("model.layers.11.q_proj", 12), "model…q_proj");
}

}  // namespace
}  // namespace litertlm
