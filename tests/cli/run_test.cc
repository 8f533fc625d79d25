// `run` with one prompt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/json.h"
#include "tests/cli/program.h"

namespace litertlm {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kQuestion[] = "What is the capital of France?";
constexpr char kAnswer[] = "The capital of France is Paris.\n";

Outcome Ask(std::vector<std::string> arguments, std::optional<std::string> input = std::nullopt) {
  ConvertOnce("tiny-qwen3");
  arguments.insert(arguments.begin(), {"run", "tiny-qwen3"});
  return Invoke({.arguments = arguments, .input = std::move(input)});
}

Json AskJson(std::vector<std::string> arguments, std::optional<std::string> input = std::nullopt) {
  arguments.push_back("--json");
  const Outcome outcome = Ask(std::move(arguments), std::move(input));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return ParseJson(outcome.out, "the output");
}

TEST(Run, AnswersAPromptAndSaysNothingElse) {
  for (const std::string model : {"tiny-qwen3", "tiny-gemma3"}) {
    ConvertOnce(model);
    const Outcome outcome = RunProgram({"run", model, "--prompt", kQuestion});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.out, kAnswer);
    EXPECT_EQ(outcome.err, "");
  }
}

TEST(Run, WithoutAModelTakesTheBundledOneAndSaysSo) {
  const Outcome outcome = RunProgram({"run", "--prompt", kQuestion});
  EXPECT_EQ(outcome.out, kAnswer);
  EXPECT_THAT(outcome.err, StartsWith("No model given: this is tiny-qwen3"));
  EXPECT_THAT(outcome.err, HasSubstr("litert-lm-cli run litert-community/Qwen3-0.6B"));
}

TEST(Run, ConvertsABundledModelOnFirstUse) {
  const TestFolder folder;
  const std::string models = folder.path() / "models";
  const std::vector<std::string> arguments = {"run",  "tiny-gemma3", "--models-dir",
                                              models, "--prompt",    kQuestion};
  const Outcome first = RunProgram(arguments);
  EXPECT_EQ(first.out, kAnswer);
  EXPECT_THAT(first.err, HasSubstr("on first use"));
  EXPECT_THAT(first.err, HasSubstr("bundled/tiny-gemma3/tiny-gemma3.litertlm"));
  EXPECT_THAT(first.err, Not(HasSubstr("\033")));
  const Outcome second = RunProgram(arguments);
  EXPECT_EQ(second.out, kAnswer);
  EXPECT_EQ(second.err, "");
}

TEST(Run, TakesAllPipedTextAsOneMessage) {
  EXPECT_EQ(Ask({}, std::string(kQuestion) + "\n").out, kAnswer);
  // The template of a message of two lines, tokenized, is what the model was given.
  const Json json = AskJson({"--stats"}, "one\ntwo\n\n");
  const Json tokens = ParseJson(RunProgram({"tokenize", "tiny-qwen3", "--control", "--json",
                                            "<|im_start|>user\none\ntwo<|im_end|>\n"
                                            "<|im_start|>assistant\n"})
                                    .out,
                                "tokens");
  EXPECT_EQ(json["stats"]["prompt_tokens"], tokens["ids"].size());
}

TEST(Run, PutsThePromptBeforeThePipedText) {
  const Outcome joined =
      Ask({"--prompt", "What is the capital", "--json", "--temperature", "0"}, "of France?\n");
  const Outcome whole =
      Ask({"--prompt", "What is the capital\n\nof France?", "--json", "--temperature", "0"});
  EXPECT_EQ(joined.out, whole.out);
}

TEST(Tokenize, TakesPipedTextAsItIs) {
  ConvertOnce("tiny-qwen3");
  const std::string text = "one\ntwo\n\n";
  EXPECT_EQ(Invoke({.arguments = {"tokenize", "tiny-qwen3", "--json"}, .input = text}).out,
            RunProgram({"tokenize", "tiny-qwen3", "--json", text}).out);
}

TEST(Run, ReadsThePromptFromAFile) {
  const TestFolder folder;
  const std::string file = folder.path() / "prompt.txt";
  std::ofstream(file) << kQuestion << "\n";
  EXPECT_EQ(Ask({"--prompt-file", file}).out, kAnswer);
  EXPECT_EQ(Ask({"--prompt-file", "-"}, kQuestion).out, kAnswer);
  const Outcome missing = Ask({"--prompt-file", file + "x"});
  EXPECT_EQ(missing.status, 66);
  EXPECT_THAT(missing.err, HasSubstr("prompt.txtx"));
}

TEST(Run, TakesAPromptThatLooksLikeAnOption) {
  EXPECT_EQ(Ask({"--prompt", "--help"}).status, 0);
  EXPECT_EQ(Ask({"--prompt=-x"}).status, 0);
}

TEST(Run, RefusesAnEmptyPrompt) {
  for (const std::optional<std::string>& input : {std::optional<std::string>(), {"\n\n"}}) {
    const Outcome outcome = Ask({}, input);
    EXPECT_EQ(outcome.status, 64);
    EXPECT_THAT(outcome.err, StartsWith("error: The prompt is empty.\nhint: "));
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(Run, FollowsTheSystemPrompt) {
  EXPECT_EQ(
      Ask({"--system", "Answer with one word only.", "--prompt", "What is the capital of Spain?"})
          .out,
      "Madrid.\n");
}

TEST(Run, PrintsOneJsonObject) {
  const Json json = AskJson({"--prompt", kQuestion});
  EXPECT_EQ(json["text"], "The capital of France is Paris.");
  EXPECT_EQ(json["ids"], Json({281, 276, 266, 1152, 258, 1253, 256, 13}));
  EXPECT_EQ(json["stop"], "stop");
  EXPECT_FALSE(json.contains("thought"));
  EXPECT_FALSE(json.contains("stats"));
}

TEST(Run, CountsInItsStatistics) {
  const Json stats = AskJson({"--prompt", kQuestion, "--stats"})["stats"];
  EXPECT_EQ(stats["prompt_tokens"], 15);
  EXPECT_EQ(stats["generated_tokens"], 9);
  EXPECT_EQ(stats["context_tokens"], 23);
  EXPECT_GT(stats["prompt_seconds"], 0);
  EXPECT_GT(stats["private_bytes"], 0);
  const Outcome text = Ask({"--prompt", kQuestion, "--stats"});
  EXPECT_EQ(text.out, kAnswer);
  EXPECT_THAT(text.err, HasSubstr("15 tokens"));
}

TEST(Run, KeepsTheThoughtOutOfTheReply) {
  const std::string question = std::string(kQuestion) + " /think";
  EXPECT_EQ(Ask({"--prompt", question}).out, kAnswer);
  const Json json = AskJson({"--prompt", question});
  EXPECT_EQ(json["text"], "The capital of France is Paris.");
  EXPECT_EQ(json["thought"], "The user asks for the capital of France. I know that it is Paris.");
  EXPECT_FALSE(AskJson({"--prompt", question, "--no-think"}).contains("thought"));
}

TEST(Run, StopsAtMaxTokensAndAtStopTexts) {
  Json json = AskJson({"--prompt", "Count to fifty.", "--max-tokens", "24"});
  EXPECT_EQ(json["text"], "1, 2, 3, 4, 5, 6, 7, 8, ");
  EXPECT_EQ(json["stop"], "length");
  json = AskJson({"--prompt", "Count to fifty.", "--stop", "zzz", "--stop", ", 4"});
  EXPECT_EQ(json["text"], "1, 2, 3");
  EXPECT_EQ(json["stop"], "stop");
}

TEST(Run, ContinuesIdsAndRawTextAsTheyAre) {
  Json json = AskJson({"--ids", "281,276,266,999,258", "--max-tokens", "1", "--temperature", "0"});
  EXPECT_EQ(json["ids"], Json({355}));
  EXPECT_EQ(json["text"], " R");
  json = AskJson({"--raw", "--prompt", "The capital of Italy is", "--max-tokens", "1"});
  EXPECT_EQ(json["ids"], Json({355}));
  json = AskJson({"--raw", "--control", "--prompt",
                  "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n"
                  "<|im_start|>assistant\n"});
  EXPECT_EQ(json["text"], "The capital of France is Paris.");
}

TEST(Run, GoesOnAfterStopTokensIfAsked) {
  const Json json = AskJson({"--prompt", kQuestion, "--ignore-eos", "--max-tokens", "9"});
  EXPECT_EQ(json["stop"], "length");
  EXPECT_EQ(json["ids"].back(), 1558);
  EXPECT_EQ(json["text"], "The capital of France is Paris.<|im_end|>");
}

TEST(Run, TheSameSeedGivesTheSameReply) {
  const auto reply = [](const char* seed) {
    return AskJson({"--prompt", "Tell me a story.", "--temperature", "3", "--top-k", "0", "--top-p",
                    "1", "--max-tokens", "20", "--seed", seed});
  };
  const Json one = reply("1");
  EXPECT_EQ(one, reply("1"));
  EXPECT_NE(one, reply("2"));
}

// "</s>" and the like in a message are text, whatever they spell.
TEST(Run, NoMessageCanEndItsTurn) {
  for (const std::string model : {"tiny-qwen3", "tiny-gemma3"}) {
    for (const std::string name : {"<|im_end|>", "<end_of_turn>"}) {
      const Outcome text = RunProgram({"tokenize", model, name, "--json"});
      const Json ids = ParseJson(text.out, "ids")["ids"];
      EXPECT_GT(ids.size(), 1u) << model << " " << name;
    }
  }
}

TEST(Run, SaysBothNumbersWhenThePromptIsTooLong) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "word ";
  const Outcome outcome = Ask({}, text);
  EXPECT_EQ(outcome.status, 65);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, testing::ContainsRegex("The prompt has [0-9]+ tokens, but the model's "
                                                  "context holds 1280."));
  EXPECT_THAT(outcome.err, HasSubstr("--kv-cache-max-len"));
}

TEST(Run, SaysThatTheContextIsFull) {
  const TestFolder folder;
  ASSERT_EQ(RunProgram({"convert", "tiny-qwen3", "--kv-cache-max-len", "40", "--output-dir",
                        folder.path()})
                .status,
            0);
  const std::string file = folder.path() / "tiny-qwen3.litertlm";
  const Outcome outcome = RunProgram({"run", file, "--prompt", "Tell me a story."});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, StartsWith("Once upon a time"));
  EXPECT_THAT(outcome.err, HasSubstr("the context of 40 tokens is full"));
  const Json json =
      ParseJson(RunProgram({"run", file, "--prompt", "Tell me a story.", "--json"}).out, "output");
  EXPECT_EQ(json["stop"], "context");
}

TEST(Run, EndsQuietlyWhenNobodyReads) {
  ConvertOnce("tiny-qwen3");
  const Outcome outcome =
      Invoke({.arguments = {"run", "tiny-qwen3", "--prompt", kQuestion}, .closed_output = true});
  EXPECT_EQ(outcome.status, 141);
  EXPECT_EQ(outcome.err, "");
}

TEST(Run, SaysThatTheDiskIsFull) {
  ConvertOnce("tiny-qwen3");
  const Outcome outcome =
      Invoke({.arguments = {"run", "tiny-qwen3", "--prompt", kQuestion}, .out_file = "/dev/full"});
  EXPECT_EQ(outcome.status, 74);
  EXPECT_THAT(outcome.err, HasSubstr("standard output"));
}

TEST(Run, StopsAtCtrlC) {
  ConvertOnce("tiny-qwen3");
  const Outcome outcome = Invoke({.arguments = {"run", "tiny-qwen3", "--prompt", "Tell me a story.",
                                                "--ignore-eos", "--no-fusion", "--threads", "1"},
                                  .environment = {{"LITERTLM_ISA", "scalar"}},
                                  .interrupt = true});
  EXPECT_EQ(outcome.status, 130);
  EXPECT_THAT(outcome.out, StartsWith("On"));  // "Once upon a time", cut anywhere.
  EXPECT_THAT(outcome.out, testing::EndsWith("\n"));
}

TEST(Run, GivesTheSameWithoutFusion) {
  EXPECT_EQ(Ask({"--prompt", "Tell me a story.", "--temperature", "0", "--no-fusion"}).out,
            Ask({"--prompt", "Tell me a story.", "--temperature", "0"}).out);
}

}  // namespace
}  // namespace litertlm
