// `bench`: that each form of output has the rows that were asked for, and plausible numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "base/json.h"
#include "tests/cli/program.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string Bench(std::vector<std::string> arguments) {
  ConvertOnce("tiny-qwen3");
  arguments.insert(arguments.begin(), {"bench", "tiny-qwen3"});
  const Outcome outcome = RunProgram(arguments);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  return outcome.out;
}

Json BenchJson(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"-o", "json"});
  return ParseJson(Bench(std::move(arguments)), "the output");
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Bench, DoesEachTestAtEachDepthWithEachNumberOfThreads) {
  const Json rows = BenchJson({"-p", "3,5", "-n", "2", "-d", "0,7", "-t", "1,2", "-r", "2"});
  std::vector<std::string> tests;
  for (const Json& row : rows) {
    tests.push_back(row["test"].get<std::string>() + " d" + DumpJson(row["depth"]) + " t" +
                    DumpJson(row["threads"]));
    EXPECT_EQ(row["samples"].size(), 2u);
  }
  EXPECT_THAT(tests, ElementsAre("pp3 d0 t1", "pp5 d0 t1", "tg2 d0 t1", "pp3 d7 t1", "pp5 d7 t1",
                                 "tg2 d7 t1", "pp3 d0 t2", "pp5 d0 t2", "tg2 d0 t2", "pp3 d7 t2",
                                 "pp5 d7 t2", "tg2 d7 t2"));
}

TEST(Bench, GivesMeanAndDeviationOfItsSamples) {
  const Json row = BenchJson({"-p", "4", "-n", "0", "-r", "3"})[0];
  const auto samples = row["samples"].get<std::vector<double>>();
  ASSERT_EQ(samples.size(), 3u);
  const auto [least, most] = std::ranges::minmax(samples);
  EXPECT_GT(least, 0);
  EXPECT_NEAR(row["tokens_per_second"].get<double>(), (samples[0] + samples[1] + samples[2]) / 3,
              1e-6 * most);
  // What any three numbers obey.
  EXPECT_LE(row["deviation"].get<double>(), (most - least) / std::sqrt(3.0) * 1.0001);
  EXPECT_GE(row["deviation"].get<double>(), (most - least) / 2 * 0.9999);
  EXPECT_TRUE(row["bytes_per_second"].is_null());
}

TEST(Bench, CountsTheWeightsThatATokenReads) {
  const Json row = BenchJson({"-p", "0", "-n", "4", "-r", "1"})[0];
  const double per_token =
      row["bytes_per_second"].get<double>() / row["tokens_per_second"].get<double>();
  const Json report = ParseJson(RunProgram({"inspect", "tiny-qwen3", "--json"}).out, "the output");
  double matrices = 0;
  for (const Json& section : report["sections"]) {
    if (!section.contains("model")) continue;
    for (const Json& weights : section["model"]["weights"]) {
      if (weights["coding"] == "i8 per channel") matrices = weights["bytes"].get<double>();
    }
  }
  ASSERT_GT(matrices, 0);
  EXPECT_GE(per_token, matrices);
  EXPECT_LT(per_token, 1.05 * matrices);  // Norms and small constants come on top.
}

TEST(Bench, MeasuresStartMemoryAndBandwidth) {
  const Json row = BenchJson({"-p", "4", "-n", "0", "-r", "1"})[0];
  EXPECT_GT(row["load_seconds"].get<double>(), 0);
  EXPECT_GT(row["first_token_seconds"].get<double>(), row["load_seconds"].get<double>());
  EXPECT_GT(row["private_bytes"].get<uint64_t>(), 100'000u);
  EXPECT_GT(row["resident_bytes"].get<uint64_t>(), row["private_bytes"].get<uint64_t>());
  // The buffer of the bandwidth's measurement does not count.
  EXPECT_LT(row["resident_bytes"].get<uint64_t>(), 300'000'000u);
  EXPECT_GT(row["read_bytes_per_second"].get<double>(), 1e8);
}

TEST(Bench, TellsWhereTheTimeGoes) {
  const Json row = BenchJson({"-p", "0", "-n", "4", "-r", "1", "--ops"})[0];
  double sum = 0;
  double last = 1;
  std::vector<std::string> names;
  for (const Json& op : row["ops"]) {
    EXPECT_LE(op["share"].get<double>(), last);
    last = op["share"].get<double>();
    sum += last;
    names.push_back(op["op"].get<std::string>());
  }
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_THAT(names, testing::IsSupersetOf({"FULLY_CONNECTED", "EMBEDDING_LOOKUP"}));
  EXPECT_THAT(Bench({"-p", "4", "-n", "0", "-r", "1", "--ops"}),
              testing::ContainsRegex(" %  +[0-9.]+ ms  FULLY_CONNECTED\n"));
}

TEST(Bench, NamesTheKernelsInUse) {
  ConvertOnce("tiny-qwen3");
  const Outcome outcome =
      Invoke({.arguments = {"bench", "tiny-qwen3", "-p", "2", "-n", "0", "-r", "1", "-o", "json"},
              .environment = {{"LITERTLM_ISA", "scalar"}}});
  EXPECT_EQ(ParseJson(outcome.out, "the output")[0]["kernels"], "scalar");
}

TEST(Bench, KeepsKeysAndValuesAsAsked) {
  for (const std::string type : {"f32", "f16", "int8"}) {
    const Json row = BenchJson({"-p", "4", "-n", "0", "-r", "1", "--kv-cache-type", type})[0];
    EXPECT_EQ(row["kv_cache_type"], type);
  }
  EXPECT_EQ(BenchJson({"-p", "4", "-n", "0", "-r", "1"})[0]["kv_cache_type"], "f16");
}

TEST(Bench, WritesCsvWithOneLineForEachTest) {
  const std::vector<std::string> lines =
      Lines(Bench({"-p", "4", "-n", "2", "-t", "1,2", "-r", "1", "-o", "csv"}));
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_THAT(lines[0], StartsWith("model,model_bytes,kernels,threads,test,"));
  const auto columns = std::ranges::count(lines[0], ',');
  for (const std::string& line : lines) EXPECT_EQ(std::ranges::count(line, ','), columns) << line;
  EXPECT_THAT(lines[1], HasSubstr(",1,\"pp4\",4,0,"));
  EXPECT_THAT(lines[4], HasSubstr(",2,\"tg2\",2,0,"));
}

TEST(Bench, WritesAMarkdownTable) {
  const std::vector<std::string> lines =
      Lines(Bench({"-p", "4", "-n", "2", "-d", "3", "-r", "1", "-o", "md"}));
  ASSERT_EQ(lines.size(), 4u);
  const auto columns = std::ranges::count(lines[0], '|');
  for (const std::string& line : lines) EXPECT_EQ(std::ranges::count(line, '|'), columns) << line;
  EXPECT_THAT(lines[2], HasSubstr("| pp4 @ d3 |"));
  EXPECT_THAT(lines[3], StartsWith("| tiny-qwen3 | "));
}

TEST(Bench, TellsPeople) {
  const std::string text = Bench({"-p", "4", "-n", "2", "-t", "1", "-r", "1"});
  for (const char* part : {"tiny-qwen3.litertlm: 1.5 MB, ", "\n1 thread\n", "\n  load ",
                           "\n  first token ", "\n  memory ", "\n  pp4 ", "\n  tg2 ", " GB/s ("}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(Bench, SaysWhatDoesNotFit) {
  ConvertOnce("tiny-qwen3");
  const Outcome outcome = RunProgram({"bench", "tiny-qwen3", "-p", "1000", "-d", "500"});
  EXPECT_EQ(outcome.status, 65);
  EXPECT_THAT(outcome.err, HasSubstr("pp1000 at depth 500 needs a context of 1500 tokens, but the "
                                     "model's holds 1280."));
}

TEST(Bench, TakesASyntheticModelThatIsThereAlready) {
  ConvertOnce("tiny-qwen3");
  const TestFolder folder;
  const fs::path place = folder.path() / "synthetic/qwen3-4b-fp16-1280";
  fs::create_directories(place);
  fs::copy(SharedModels() / "bundled/tiny-qwen3/tiny-qwen3.litertlm",
           place / "qwen3-4b-fp16-1280.litertlm");
  const Outcome outcome =
      RunProgram({"bench", "--synthetic", "qwen3-4b", "--quantize", "fp16", "--models-dir",
                  folder.path(), "-p", "2", "-n", "0", "-r", "1", "-o", "md"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("| qwen3-4b-fp16-1280 |"));
}

TEST(Bench, IsQuietWhileItMakesASyntheticModel) {
  const TestFolder folder;
  const std::vector<std::string> bench = {
      "bench", "--synthetic", "gemma3-270m", "--models-dir", folder.path(), "-p",
      "2",     "-n",          "0",           "-r",           "1",           "--quiet"};
  // Stopped in the middle of the weights, which would take half a gigabyte.
  const Outcome weights =
      Invoke({.arguments = bench, .wrapper = {"sh", "-c", "ulimit -f 65536; exec \"$@\"", "sh"}});
  EXPECT_EQ(weights.status, 74);
  EXPECT_THAT(weights.err, StartsWith("error: Cannot write "));
  EXPECT_THAT(weights.err, HasSubstr("model.safetensors"));
  // The conversion, of a checkpoint that takes less.
  const fs::path checkpoint = folder.path() / "synthetic/gemma3-270m/checkpoint";
  fs::remove_all(checkpoint);
  fs::copy(fs::path(LITERTLM_SOURCE_DIR) / "testdata/tiny-gemma3", checkpoint);
  const Outcome conversion = RunProgram(bench);
  EXPECT_EQ(conversion.status, 0);
  EXPECT_EQ(conversion.err, "");
  EXPECT_THAT(conversion.out, HasSubstr("pp2"));
}

}  // namespace
}  // namespace litertlm
