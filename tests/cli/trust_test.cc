// The commands for people who must trust a conversion: inspect, tokenize, detokenize, logits, and
// run --ids, against the reference outputs of the bundled checkpoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/file.h"
#include "base/json.h"
#include "tests/cli/program.h"
#include "tests/test_name.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kTestData = LITERTLM_SOURCE_DIR "/testdata";

std::string List(const Json& ids) {
  std::string list;
  for (const Json& id : ids) list += (list.empty() ? "" : ",") + id.dump();
  return list;
}

Json Reference(const std::string& model) {
  const fs::path file = kTestData / model / "reference.json";
  return ParseJson(ReadFile(file), file.string());
}

// The file of one coding, made once for all tests.
std::string Converted(const std::string& model, const std::string& coding) {
  const fs::path folder = SharedModels() / "codings" / coding;
  const Outcome outcome =
      RunProgram({"convert", model, "--quantize", coding, "--output-dir", folder});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return folder / (model + ".litertlm");
}

struct Rows {
  std::string header;
  std::vector<float> values;
};

Rows ReadNpy(const fs::path& file) {
  const std::string bytes = ReadFile(file);
  const size_t header = 10 + static_cast<unsigned char>(bytes[8]) +
                        256 * static_cast<size_t>(static_cast<unsigned char>(bytes[9]));
  Rows rows{bytes.substr(0, header), {}};
  rows.values.resize((bytes.size() - header) / sizeof(float));
  std::memcpy(rows.values.data(), bytes.data() + header, rows.values.size() * sizeof(float));
  return rows;
}

class ReferenceOutputs : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(ReferenceOutputs, EveryPromptContinuesAsTheReferenceDoes) {
  const auto& [model, coding] = GetParam();
  const std::string file = Converted(model, coding);
  const Json reference = Reference(model);
  ASSERT_GE(reference["prompts"].size(), 20u);
  for (const Json& prompt : reference["prompts"]) {
    const Outcome outcome =
        RunProgram({"run", file, "--ids", List(prompt["ids"]), "--temperature", "0", "--max-tokens",
                    prompt["max_new_tokens"].dump(), "--json"});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const Json reply = ParseJson(outcome.out, "the output");
    SCOPED_TRACE(prompt["name"].get<std::string>());
    EXPECT_EQ(reply["ids"], prompt["output_ids"]);
    EXPECT_EQ(reply["text"], prompt["output_text"]);
    EXPECT_EQ(reply["stop"], prompt["stop_reason"] == "stop_token" ? "stop" : "length");
  }
}

// The library is tested with every coding of both in tests/conformance/reference_test.cc.
INSTANTIATE_TEST_SUITE_P(Run, ReferenceOutputs,
                         testing::Values(std::tuple("tiny-qwen3", "none"),
                                         std::tuple("tiny-gemma3", "dynamic_int8")),
                         [](const auto& test) {
                           return TestName(std::get<0>(test.param) + "_" + std::get<1>(test.param));
                         });

TEST(Run, AnswersAreTheReferencesWithCachesOfEveryType) {
  const std::string file = Converted("tiny-qwen3", "dynamic_int8");
  const Json prompt = Reference("tiny-qwen3")["prompts"][0];
  for (const char* type : {"f32", "f16", "int8"}) {
    const Outcome outcome =
        RunProgram({"run", file, "--ids", List(prompt["ids"]), "--temperature", "0", "--max-tokens",
                    prompt["max_new_tokens"].dump(), "--json", "--kv-cache-type", type});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(ParseJson(outcome.out, "the output")["ids"], prompt["output_ids"]) << type;
  }
}

TEST(Chat, TheTemplateGivesTheReferencesIds) {
  for (const std::string model : {"tiny-qwen3", "tiny-gemma3"}) {
    const std::string file = Converted(model, "none");
    const Json reference = Reference(model);
    for (const Json& prompt : reference["prompts"]) {
      if (prompt["kind"] != "chat" || prompt["messages"].size() > 2) continue;
      const bool system = prompt["messages"][0]["role"] == "system";
      if (prompt["messages"].size() == 2 && !system) continue;
      std::vector<std::string> arguments = {"run",          file, "--prompt", prompt["prompt"],
                                            "--max-tokens", "1",  "--json",   "--stats"};
      if (system) arguments.insert(arguments.end(), {"--system", prompt["messages"][0]["content"]});
      if (prompt.contains("enable_thinking") && prompt["enable_thinking"] == false) {
        arguments.push_back("--no-think");
      }
      const Json reply = ParseJson(RunProgram(arguments).out, "the output");
      SCOPED_TRACE(prompt["name"].get<std::string>());
      EXPECT_EQ(reply["stats"]["prompt_tokens"], prompt["ids"].size());
      EXPECT_EQ(reply["ids"][0], prompt["output_ids"][0]);
    }
  }
}

TEST(Logits, AreTheReferences) {
  const TestFolder folder;
  const fs::path out = folder.path() / "logits.npy";
  for (const std::string model : {"tiny-qwen3", "tiny-gemma3"}) {
    const Json entry = Reference(model)["logits"][0];
    const Outcome outcome =
        RunProgram({"logits", Converted(model, "none"), "--ids", List(entry["ids"]), "--out", out,
                    "--kv-cache-type", "f32"});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const Rows ours = ReadNpy(out);
    const Rows theirs = ReadNpy(kTestData / model / entry["file"].get<std::string>());
    EXPECT_THAT(ours.header, HasSubstr("'shape': (" + entry["shape"][0].dump() + ", 1600)"));
    ASSERT_EQ(ours.values.size(), theirs.values.size());
    float worst = 0;
    for (size_t i = 0; i < ours.values.size(); ++i) {
      worst = std::max(worst, std::abs(ours.values[i] - theirs.values[i]));
    }
    EXPECT_LT(worst, 2e-4f) << model;
  }
}

TEST(Logits, NeedRoomInTheContextAndLeaveNoHalfFile) {
  const TestFolder folder;
  const fs::path out = folder.path() / "logits.npy";
  std::string ids = "1";
  for (int i = 0; i < 1280; ++i) ids += ",1";
  const Outcome outcome =
      RunProgram({"logits", Converted("tiny-qwen3", "none"), "--ids", ids, "--out", out});
  EXPECT_EQ(outcome.status, 65);
  EXPECT_THAT(outcome.err, HasSubstr("1281 tokens"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Tokenize, ShowsIdsAndTheirText) {
  ConvertOnce("tiny-qwen3");
  const Outcome text = RunProgram({"tokenize", "tiny-qwen3", "What is the capital of France?"});
  EXPECT_EQ(text.out,
            "    284  \"What\"\n    258  \" is\"\n    278  \" the\"\n    276  \" capital\"\n"
            "    266  \" of\"\n   1152  \" France\"\n     30  \"?\"\n");
  const Json json = ParseJson(
      RunProgram({"tokenize", "tiny-qwen3", "<|im_start|>a", "--json", "--control"}).out, "json");
  EXPECT_EQ(json["ids"][0], 1557);
  EXPECT_EQ(json["pieces"][0], "<|im_start|>");
}

TEST(Detokenize, GivesTheText) {
  ConvertOnce("tiny-qwen3");
  EXPECT_EQ(RunProgram({"detokenize", "tiny-qwen3", "281", "276", "266,1152"}).out,
            "The capital of France\n");
  EXPECT_EQ(RunProgram({"detokenize", "tiny-qwen3", "281,276", "--json"}).out,
            "{\"text\":\"The capital\"}\n");
}

TEST(Inspect, ShowsWhatAFileHolds) {
  const std::string file = Converted("tiny-qwen3", "dynamic_int8");
  const Outcome outcome = RunProgram({"inspect", file, "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json report = ParseJson(outcome.out, "the report");
  EXPECT_EQ(report["bytes"], fs::file_size(file));
  bool metadata = false;
  bool model = false;
  for (const Json& section : report["sections"]) {
    if (section.contains("metadata")) {
      metadata = true;
      EXPECT_EQ(section["metadata"]["model_type"], "qwen3");
      EXPECT_EQ(section["metadata"]["max_num_tokens"], 1280);
    }
    if (section.contains("model")) {
      model = true;
      std::vector<std::string> keys;
      for (const Json& signature : section["model"]["signatures"]) keys.push_back(signature["key"]);
      EXPECT_THAT(keys, testing::Contains("decode"));
      EXPECT_THAT(keys, testing::Contains("prefill_128"));
      EXPECT_THAT(section["model"]["weights"].dump(), HasSubstr("i8 per channel"));
      EXPECT_GT(section["model"]["operators"]["FULLY_CONNECTED"], 0);
    }
  }
  EXPECT_TRUE(metadata);
  EXPECT_TRUE(model);
  const Outcome text = RunProgram({"inspect", file});
  EXPECT_THAT(text.out, HasSubstr("decode:"));
  EXPECT_THAT(text.out, HasSubstr("and 6 caches more"));
}

TEST(Inspect, ReportsWhatItCanOfADamagedFile) {
  const TestFolder folder;
  const fs::path damaged = folder.path() / "damaged.litertlm";
  fs::copy(Converted("tiny-qwen3", "dynamic_int8"), damaged);
  const Json report = ParseJson(RunProgram({"inspect", damaged, "--json"}).out, "the report");
  for (const Json& section : report["sections"]) {
    if (section["type"] != "TFLiteModel") continue;
    std::string bytes = ReadFile(damaged);
    bytes.replace(section["begin"].get<size_t>(), 64, std::string(64, '\xff'));
    AtomicFile file(damaged);
    file.Write(AsBytes(bytes));
    file.Commit();
  }
  const Outcome outcome = RunProgram({"inspect", damaged});
  EXPECT_EQ(outcome.status, 65);
  EXPECT_THAT(outcome.out, HasSubstr("model_type: qwen3"));
  EXPECT_THAT(outcome.out, HasSubstr("cannot be read: "));
  EXPECT_EQ(RunProgram({"run", damaged, "--prompt", "x"}).status, 65);
}

TEST(Example, TalksToAModel) {
  const std::string command = std::string(LITERTLM_BINARY_DIR "/tests/example_chat ") +
                              Converted("tiny-qwen3", "dynamic_int8") +
                              " 'My name is Anna.' 'What is my name?' 2>&1";
  FILE* output = ::popen(command.c_str(), "r");
  ASSERT_NE(output, nullptr);
  std::string text(4096, '\0');
  text.resize(::fread(text.data(), 1, text.size(), output));
  EXPECT_EQ(::pclose(output), 0);
  EXPECT_THAT(text, HasSubstr("Your name is Anna."));
}

}  // namespace
}  // namespace litertlm
