// Models in other files than .litertlm: .task bundles, and TFLite models with their tokenizer
// beside them. They are the converted models, packed anew, and so must do what those do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <schema/llm_parameters.pb.h>

#include "base/file.h"
#include "base/json.h"
#include "format/model_file.h"
#include "tests/cli/program.h"
#include "tests/format/zip_writer.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

void WriteFile(const fs::path& path, std::string_view content) {
  AtomicFile file(path);
  file.Write(AsBytes(content));
  file.Commit();
}

/// A bundled model, taken apart.
struct Parts {
  explicit Parts(const std::string& model) {
    ConvertOnce(model);
    litertlm = SharedModels() / "bundled" / model / (model + ".litertlm");
    const ModelFile file = ModelFile::Open(litertlm);
    graph = AsText(file.Find(SectionType::kTfliteModel)->bytes);
    metadata = AsText(file.Find(SectionType::kLlmMetadata)->bytes);
    tokenizer = fs::path(LITERTLM_SOURCE_DIR "/testdata") / model /
                (file.Find(SectionType::kSentencePiece) ? "tokenizer.model" : "tokenizer.json");
  }
  std::string Bundle(const std::string& described) const {
    ZipWriter writer;
    writer.Add("TF_LITE_PREFILL_DECODE", graph, {.alignment = 4096});
    writer.Add("TOKENIZER_MODEL", ReadFile(tokenizer));
    if (!described.empty()) writer.Add("METADATA", described);
    return writer.Finish();
  }

  fs::path litertlm;
  fs::path tokenizer;
  std::string graph;
  std::string metadata;
};

std::string AnswerOf(std::vector<std::string> model, const std::string& prompt) {
  std::vector<std::string> arguments = {"run", "--prompt", prompt, "--temperature", "0"};
  arguments.insert(arguments.end(), model.begin(), model.end());
  const Outcome outcome = RunProgram(arguments);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return outcome.out;
}

/// Every command that opens a model says the same of `other`, a file and its flags, as of `file`.
void ExpectTheSame(const fs::path& file, const std::vector<std::string>& other) {
  const TestFolder folder;
  const auto run = [](std::vector<std::string> arguments, const std::vector<std::string>& model) {
    arguments.insert(arguments.begin() + 1, model.begin(), model.end());
    const Outcome outcome = RunProgram(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.out;
  };
  for (const char* prompt : {"What is the capital of France?", "Tell me a story."}) {
    EXPECT_EQ(AnswerOf(other, prompt), AnswerOf({file}, prompt));
  }
  const std::vector<std::string> tokenize = {"tokenize", "<bos> is <|im_end|>", "--control"};
  EXPECT_EQ(run(tokenize, other), run(tokenize, {file}));
  const std::vector<std::string> detokenize = {"detokenize", "281", "276", "1"};
  EXPECT_EQ(run(detokenize, other), run(detokenize, {file}));
  const auto logits = [&](const std::vector<std::string>& model) {
    const fs::path out = folder.path() / "logits.npy";
    run({"logits", "--ids", "281,276,266", "--out", out}, model);
    return ReadFile(out);
  };
  EXPECT_EQ(logits(other), logits({file}));
  EXPECT_THAT(run({"bench", "-p", "8", "-n", "2", "-r", "1", "-t", "1"}, other), HasSubstr("tg2"));
}

class Containers : public testing::TestWithParam<std::string> {
 protected:
  const Parts parts{GetParam()};
  const TestFolder folder;
};

TEST_P(Containers, ATaskBundleIsRunWhateverItsName) {
  for (const char* name : {"model.task", "model.bin"}) {
    const fs::path bundle = folder.path() / name;
    WriteFile(bundle, parts.Bundle(parts.metadata));
    ExpectTheSame(parts.litertlm, {bundle});
  }
}

TEST_P(Containers, ATaskBundleWithoutMetadataIsKnownByItsTokenizer) {
  const fs::path bundle = folder.path() / "model.task";
  WriteFile(bundle, parts.Bundle(""));
  ExpectTheSame(parts.litertlm, {bundle});
}

TEST_P(Containers, ATaskBundleOfMediaPipeIsRun) {
  proto::LlmParameters parameters;
  const bool gemma = GetParam() == "tiny-gemma3";
  if (gemma) parameters.set_start_token("<bos>");
  parameters.add_stop_tokens(gemma ? "<eos>" : "<|endoftext|>");
  parameters.add_stop_tokens(gemma ? "<end_of_turn>" : "<|im_end|>");
  proto::PromptTemplate& user = *parameters.mutable_prompt_template();
  user.set_prompt_prefix(gemma ? "<start_of_turn>user\n" : "<|im_start|>user\n");
  user.set_prompt_suffix(gemma ? "<end_of_turn>\n<start_of_turn>model\n"
                               : "<|im_end|>\n<|im_start|>assistant\n");
  const fs::path bundle = folder.path() / "model.task";
  WriteFile(bundle, parts.Bundle(parameters.SerializeAsString()));
  ExpectTheSame(parts.litertlm, {bundle});
  const Outcome inspection = RunProgram({"inspect", bundle});
  EXPECT_EQ(inspection.status, 0);
  EXPECT_THAT(inspection.out, HasSubstr("model.task: "));
  EXPECT_THAT(inspection.out, HasSubstr("a .task bundle"));
  EXPECT_THAT(inspection.out, HasSubstr("entry = TF_LITE_PREFILL_DECODE"));
  EXPECT_THAT(inspection.out, HasSubstr("LlmParametersProto"));
  EXPECT_THAT(inspection.out, HasSubstr("model: "));
}

TEST_P(Containers, AModelAloneIsRunWithATokenizer) {
  const fs::path model = folder.path() / "model.tflite";
  WriteFile(model, parts.graph);
  ExpectTheSame(parts.litertlm, {model, "--tokenizer", parts.tokenizer});
}

TEST_P(Containers, AModelAloneAsksForATokenizer) {
  const fs::path model = folder.path() / "model.tflite";
  WriteFile(model, parts.graph);
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"run", model, "--prompt", "x"},
           {"tokenize", model, "x"},
           {"logits", model, "--ids", "5", "--out", folder.path() / "x.npy"},
           {"bench", model}}) {
    const Outcome outcome = RunProgram(arguments);
    EXPECT_EQ(outcome.status, 64) << arguments[0];
    EXPECT_THAT(outcome.err,
                HasSubstr("model.tflite is a TFLite model alone, without a tokenizer."));
    EXPECT_THAT(outcome.err, HasSubstr("Add --tokenizer FILE"));
  }
  const Outcome inspection = RunProgram({"inspect", model});
  EXPECT_EQ(inspection.status, 0) << inspection.err;
  EXPECT_THAT(inspection.out, HasSubstr("a TFLite model alone"));
  EXPECT_THAT(inspection.out, HasSubstr("decode: "));
  const Outcome missing = RunProgram({"run", model, "--prompt", "x", "--tokenizer", "none.json"});
  EXPECT_EQ(missing.status, 66);
  EXPECT_THAT(missing.err, HasSubstr("none.json"));
  EXPECT_EQ(RunProgram({"run", model, "--prompt", "x", "--tokenizer", model}).status, 65);
}

INSTANTIATE_TEST_SUITE_P(Bundled, Containers, testing::Values("tiny-qwen3", "tiny-gemma3"),
                         [](const auto& test) { return test.param.substr(5); });

TEST(TaskBundle, HasItsPlaceInTheFolderOfModels) {
  const Parts parts("tiny-qwen3");
  const TestFolder models;
  const fs::path bundle = models.path() / "acme" / "parrot" / "parrot.task";
  WriteFile(bundle, parts.Bundle(parts.metadata));
  const auto program = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--models-dir", models.path()});
    return RunProgram(arguments);
  };
  EXPECT_THAT(program({"list"}).out, HasSubstr("acme/parrot  model  i8 per channel"));
  EXPECT_THAT(program({"show", "acme/parrot"}).out, HasSubstr("parrot.task"));
  EXPECT_EQ(program({"run", "acme/parrot", "--prompt", "What is the capital of France?"}).status,
            0);
  // A .litertlm file beside it is taken first.
  fs::copy(parts.litertlm, bundle.parent_path() / "other.litertlm");
  EXPECT_THAT(program({"show", "acme/parrot"}).out, HasSubstr("other.litertlm"));
  const Outcome missing = program({"run", "acme/no.task", "--prompt", "x"});
  EXPECT_EQ(missing.status, 66);
  EXPECT_THAT(missing.err, HasSubstr("There is no file acme/no.task."));
}

TEST(TaskBundle, DamageIsNamedByEveryCommand) {
  const Parts parts("tiny-qwen3");
  const TestFolder folder;
  const fs::path bundle = folder.path() / "damaged.task";
  const std::string good = parts.Bundle(parts.metadata);
  for (const size_t size :
       {size_t{4}, size_t{30}, size_t{5000}, good.size() / 2, good.size() - 1}) {
    WriteFile(bundle, std::string_view(good).substr(0, size));
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"run", bundle, "--prompt", "x"}, {"inspect", bundle}, {"tokenize", bundle, "x"}}) {
      const Outcome outcome = RunProgram(arguments);
      EXPECT_EQ(outcome.status, 65) << arguments[0];
      EXPECT_THAT(outcome.err, HasSubstr("damaged.task: it begins as a zip archive"));
    }
  }
}

TEST(TaskBundle, WhatIsMissingInItIsNamed) {
  const TestFolder folder;
  const fs::path bundle = folder.path() / "model.task";
  ZipWriter writer;
  writer.Add("METADATA", "");
  WriteFile(bundle, writer.Finish());
  const Outcome outcome = RunProgram({"run", bundle, "--prompt", "x"});
  EXPECT_EQ(outcome.status, 65);
  EXPECT_THAT(outcome.err, HasSubstr("model.task has no tokenizer section."));
}

}  // namespace
}  // namespace litertlm
