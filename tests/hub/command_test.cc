// From a name to an answer, and what is kept in between.
#include "base/json.h"
#include "format/litertlm.h"
#include "tests/format/zip_writer.h"
#include "tests/hub/command_fixture.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class NamesTest : public CommandTest {
 protected:
  // The file that the bundled model converts to, for repositories that serve one.
  std::string ModelFile() const {
    const fs::path folder = folder_ / "made";
    EXPECT_EQ(Run({"convert", "tiny-qwen3", "--output-dir", folder}).status, 0);
    return ReadFile(folder / "tiny-qwen3.litertlm");
  }
};

TEST_F(NamesTest, RunGoesFromNothingToAnAnswer) {
  server_.Add(Fixture("Qwen/Tiny-Qwen3", "tiny-qwen3"));
  const Outcome first = Ask("Qwen/Tiny-Qwen3");
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(first.out, kAnswer);
  EXPECT_THAT(first.err,
              AllOf(HasSubstr("Model not found locally. Converting from HuggingFace…"),
                    HasSubstr((models_ / "Qwen/Tiny-Qwen3/checkpoint").string()),
                    HasSubstr((models_ / "Qwen/Tiny-Qwen3/Tiny-Qwen3.litertlm").string())));
  EXPECT_TRUE(fs::exists(models_ / "Qwen/Tiny-Qwen3/Tiny-Qwen3.litertlm"));
  // Only what a conversion reads.
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(models_ / "Qwen/Tiny-Qwen3/checkpoint")) {
    files.push_back(entry.path().filename());
  }
  EXPECT_THAT(files, testing::UnorderedElementsAre("config.json", "generation_config.json",
                                                   "model.safetensors", "tokenizer.json",
                                                   "tokenizer_config.json"));
  server_.ForgetRequests();
  const Outcome second = Ask("Qwen/Tiny-Qwen3");
  EXPECT_EQ(second.out, kAnswer);
  EXPECT_EQ(second.err, "");
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(NamesTest, EveryKnownCheckpointIsFoundByItsName) {
  for (const char* name : {"Qwen/Qwen3-0.6B", "Qwen/Qwen3-1.7B", "Qwen/Qwen3-4B"}) {
    server_.Add(Fixture(name, "tiny-qwen3"));
    EXPECT_EQ(Ask(name).out, kAnswer) << name;
  }
  for (const char* name : {"google/gemma-3-270m", "google/gemma-3-270m-it", "google/gemma-3-1b-it",
                           "google/gemma-3-1b-pt"}) {
    server_.Add(Fixture(name, "tiny-gemma3"));
    EXPECT_EQ(Ask(name).out, kAnswer) << name;
  }
}

TEST_F(NamesTest, GemmaOneBillionStandsForItsChatForm) {
  server_.Add(Fixture("google/gemma-3-1b-it", "tiny-gemma3"));
  const Outcome outcome = Run({"convert", "google/gemma-3-1b"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("google/gemma-3-1b has no repository of its own"));
  EXPECT_TRUE(fs::exists(models_ / "google/gemma-3-1b-it/gemma-3-1b-it.litertlm"));
}

TEST_F(NamesTest, RunPrefersAModelFile) {
  const std::string model = ModelFile();
  server_.Add("litert-community/gemma-3-270m-it", {{"gemma3-270m-it-q8.litertlm", model},
                                                   {"gemma3-270m-it-q8.sm8550.litertlm", "other"},
                                                   {"config.json", "{}"},
                                                   {"README.md", "# Gemma"}});
  const Outcome first = Ask("litert-community/gemma-3-270m-it");
  EXPECT_EQ(first.out, kAnswer) << first.err;
  EXPECT_THAT(first.err, HasSubstr("2 .litertlm files; this is gemma3-270m-it-q8.litertlm"));
  const fs::path folder = models_ / "litert-community/gemma-3-270m-it";
  EXPECT_TRUE(ReadFile(folder / "gemma3-270m-it-q8.litertlm") == model);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
  server_.ForgetRequests();
  EXPECT_EQ(Ask("litert-community/gemma-3-270m-it").out, kAnswer);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(NamesTest, RunTakesABundleWhereThereIsNothingElse) {
  const std::string model = ModelFile();
  const LitertlmFile parts = LitertlmFile::Parse(AsBytes(model), "made");
  ZipWriter bundle;
  bundle.Add("TF_LITE_PREFILL_DECODE", AsText(parts.Find(SectionType::kTfliteModel)->bytes));
  bundle.Add("TOKENIZER_MODEL", ReadFile(std::filesystem::path(LITERTLM_SOURCE_DIR) /
                                         "testdata/tiny-qwen3/tokenizer.json"));
  bundle.Add("METADATA", AsText(parts.Find(SectionType::kLlmMetadata)->bytes));
  const std::string bytes = bundle.Finish();
  server_.Add("o/m", {{"some-q8.task", bytes}, {"some-q8-web.task", "other"}});
  server_.Add("o/one", {{"one-q8.task", bytes}, {"README.md", "# One"}});
  const Outcome first = Ask("o/m");
  EXPECT_EQ(first.out, kAnswer) << first.err;
  EXPECT_THAT(first.err, HasSubstr("o/m has 2 .task files; this is some-q8.task"));
  const Outcome one = Ask("o/one");
  EXPECT_EQ(one.out, kAnswer) << one.err;
  EXPECT_THAT(one.err, HasSubstr("o/one has no .litertlm file; this is its bundle one-q8.task."));
  server_.ForgetRequests();
  EXPECT_EQ(Ask("o/one").out, kAnswer);
  EXPECT_TRUE(server_.requests().empty());
  EXPECT_THAT(Run({"convert", "o/one"}).err, HasSubstr("only what is converted already"));
}

TEST_F(NamesTest, ShardedCheckpointIsConverted) {
  server_.Add(Fixture("Qwen/Sharded", "tiny-qwen3-sharded"));
  const Outcome outcome = Run({"convert", "Qwen/Sharded"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(fs::exists(models_ / "Qwen/Sharded/Sharded.litertlm"));
}

TEST_F(NamesTest, ConvertWritesWhereItIsTold) {
  server_.Add(Fixture("o/m", "tiny-qwen3"));
  const std::string place = folder_ / "place";
  const Outcome first = Run({"convert", "o/m", "--output-dir", place});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr(" MB  " + place + "/m.litertlm\n"));
  EXPECT_THAT(first.out, HasSubstr("Run it: litert-lm-cli run " + place + "/m.litertlm"));
  EXPECT_TRUE(fs::exists(place + "/m.litertlm"));
  EXPECT_FALSE(fs::exists(models_ / "o/m/m.litertlm"));
  // Without the checkpoint, which is not brought again only to say so.
  ASSERT_EQ(Run({"rm", "o/m", "--yes"}).status, 0);
  server_.ForgetRequests();
  EXPECT_THAT(Run({"convert", "o/m", "--output-dir", place}).out,
              HasSubstr("Model already exists: " + place + "/m.litertlm"));
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(NamesTest, ExpectedSizeIsNearTheRealOne) {
  server_.Add(Fixture("o/qwen", "tiny-qwen3"));
  server_.Add(Fixture("o/gemma", "tiny-gemma3"));
  for (const char* name : {"qwen", "gemma"}) {
    const std::string err = Run({"convert", std::string("o/") + name}).err;
    const size_t about = err.find("about");
    ASSERT_NE(about, err.npos) << err;
    const double expected = std::stod(err.substr(about + 5)) * 1e6;
    EXPECT_THAT(err.substr(about, 20), HasSubstr("MB"));
    const auto size = static_cast<double>(
        fs::file_size(models_ / "o" / name / (std::string(name) + ".litertlm")));
    EXPECT_NEAR(expected, size, size / 10) << name;
  }
}

TEST_F(NamesTest, WhatTheHuggingFaceCacheHoldsIsUsedFromThere) {
  const std::string commit(40, 'c');
  const auto cache = [&](const std::string& repo) {
    const fs::path folder = folder_ / "hf/hub" / repo;
    WriteFile(folder / "refs/main", commit);
    fs::create_directories(folder / "snapshots" / commit);
    return folder / "snapshots" / commit;
  };
  fs::copy(fs::path(LITERTLM_SOURCE_DIR) / "testdata/tiny-qwen3", cache("models--o--checkpoint"),
           fs::copy_options::recursive);
  WriteFile(cache("models--o--file") / "some-q8.litertlm", ModelFile());
  const Outcome checkpoint = Ask("o/checkpoint");
  EXPECT_EQ(checkpoint.out, kAnswer) << checkpoint.err;
  EXPECT_THAT(checkpoint.err, HasSubstr("Using the checkpoint in the Hugging Face cache"));
  EXPECT_EQ(Ask("o/file").out, kAnswer);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(NamesTest, PullTakesFilesAndPatterns) {
  server_.Add("o/m", {{"a.litertlm", "first"}, {"b.litertlm", "second"}, {"docs/x.json", "{}"}});
  const Outcome outcome = Run({"pull", "o/m", "--file", "b"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "o/m is here: " + (models_ / "o/m/b.litertlm").string() +
                             "\nRun it: litert-lm-cli run o/m\n");
  EXPECT_EQ(ReadFile(models_ / "o/m/b.litertlm"), "second");
  EXPECT_EQ(Run({"pull", "o/m", "--include", "docs/*"}).status, 0);
  EXPECT_EQ(ReadFile(models_ / "o/m/docs/x.json"), "{}");
  EXPECT_FALSE(fs::exists(models_ / "o/m/a.litertlm"));
}

TEST_F(NamesTest, PullTakesARevision) {
  server_.Add("o/m", {{"m.litertlm", "x"}});
  const std::string commit = "0123456789abcdef0123456789abcdef01234567";
  EXPECT_EQ(Run({"pull", "o/m", "--revision", commit}).status, 0);
  EXPECT_EQ(server_.requests()[0].target, "/api/models/o/m/revision/" + commit);
}

TEST_F(NamesTest, ListShowAndRemove) {
  server_.Add(Fixture("Qwen/Tiny-Qwen3", "tiny-qwen3"));
  EXPECT_EQ(Run({"list"}).out, "");
  ASSERT_EQ(Run({"convert", "Qwen/Tiny-Qwen3"}).status, 0);
  const Outcome table = Run({"list"});
  EXPECT_THAT(table.out, AllOf(HasSubstr("Qwen/Tiny-Qwen3"), HasSubstr("model"),
                               HasSubstr("checkpoint"), HasSubstr("i8 per channel")));
  const Json list = Json::parse(Run({"list", "--json"}).out);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0]["name"], "Qwen/Tiny-Qwen3");
  EXPECT_EQ(list[0]["bytes"], fs::file_size(models_ / "Qwen/Tiny-Qwen3/Tiny-Qwen3.litertlm"));
  EXPECT_THAT(list[0]["date"].get<std::string>(), testing::MatchesRegex("20[0-9-]+"));
  EXPECT_EQ(Json::parse(Run({"list", "--json", "--models-dir", folder_ / "none"}).out).size(), 0u);
  EXPECT_THAT(Run({"show", "Qwen/Tiny-Qwen3"}).out, HasSubstr("LlmMetadataProto"));

  EXPECT_EQ(Run({"rm", "Qwen/Tiny-Qwen3", "--checkpoint", "--yes"}).status, 0);
  EXPECT_FALSE(fs::exists(models_ / "Qwen/Tiny-Qwen3/checkpoint"));
  EXPECT_TRUE(fs::exists(models_ / "Qwen/Tiny-Qwen3/Tiny-Qwen3.litertlm"));
  EXPECT_EQ(Run({"rm", "Qwen/Tiny-Qwen3", "--yes"}).status, 0);
  EXPECT_FALSE(fs::exists(models_ / "Qwen"));

  for (const char* name : {"..", "../x", "/", ".", "Qwen", "Qwen/../.."}) {
    EXPECT_NE(Run({"rm", name, "--yes"}).status, 0) << name;
  }
  EXPECT_TRUE(fs::exists(models_));
}

// Of copies of the program, as it lies in a source tree and as it is installed.
TEST_F(NamesTest, FolderOfModelsStandsWhereItBelongs) {
  fs::create_directories(folder_ / "tree/testdata");
  const auto said = [&](const std::string& program, const Environment& more,
                        const std::vector<std::string>& arguments = {"list"}) {
    Invocation list = Command(arguments, {{"LITERTLM_MODELS_DIR", ""}, {"XDG_DATA_HOME", ""}});
    list.environment.insert(list.environment.end(), more.begin(), more.end());
    const std::string copy = folder_ / program;
    list.wrapper = {"sh", "-c",
                    "mkdir -p \"${0%/*}\" && cp \"$1\" \"$0\" && shift && \"$0\" \"$@\"", copy};
    return Invoke(list).err;
  };
  const auto in = [](const fs::path& folder) {
    return HasSubstr("No models are in " + folder.string() + ".");
  };
  const std::string built = "tree/build/release/litert-lm-cli";
  const std::string installed = "prefix/bin/litert-lm-cli";
  EXPECT_THAT(said(built, {}), in(folder_ / "tree/models"));
  EXPECT_THAT(said(installed, {}), in(folder_ / ".local/share/litert-lm-cli/models"));
  EXPECT_THAT(said(installed, {{"XDG_DATA_HOME", folder_ / "data"}}),
              in(folder_ / "data/litert-lm-cli/models"));
  const Environment variable = {{"LITERTLM_MODELS_DIR", folder_ / "variable"}};
  EXPECT_THAT(said(built, variable), in(folder_ / "variable"));
  EXPECT_THAT(said(built, variable, {"list", "--models-dir", folder_ / "option"}),
              in(folder_ / "option"));
}

TEST_F(NamesTest, SearchShowsModels) {
  server_.Add("litert-community/Qwen3-0.6B", {{"Qwen3-0.6B.litertlm", "x"}});
  server_.Add("Qwen/Qwen3-0.6B", {{"config.json", "{}"}});
  const Outcome table = Run({"search", "qwen3"});
  EXPECT_THAT(table.out, AllOf(HasSubstr("litert-community/Qwen3-0.6B"),
                               HasSubstr("Qwen3-0.6B.litertlm"), HasSubstr("2026-05-18")));
  EXPECT_THAT(table.out, Not(HasSubstr("\nQwen/")));
  EXPECT_EQ(Json::parse(Run({"search", "qwen3", "--json"}).out).size(), 1u);
  EXPECT_THAT(Run({"search", "nothing-like-it"}).err, HasSubstr("No model"));
}

TEST_F(NamesTest, WorksThroughAProxy) {
  // The server takes what a proxy is asked for; nothing else knows hub.invalid.
  server_.Add("o/m", {{"m.litertlm", RandomBytes(300000, 1)}, {"config.json", "{}"}});
  const Outcome outcome = Run(
      {"pull", "o/m"}, {{"HF_ENDPOINT", "http://hub.invalid"}, {"http_proxy", server_.endpoint()}});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  ExpectOnly(RandomBytes(300000, 1));
}

// Each place that a token may be in is added, and wins over those before.
TEST_F(NamesTest, TokenIsLookedForInOrder) {
  Environment environment;
  std::vector<std::string> arguments = {"search", "x"};
  std::string said;
  const auto expect = [&](const std::string& token) {
    server_.ForgetRequests();
    const Outcome outcome = Run(arguments, environment);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    ASSERT_FALSE(server_.requests().empty());
    EXPECT_EQ(server_.requests()[0].token, token);
    said += outcome.out + outcome.err;
  };
  expect("");
  WriteFile(folder_ / "hf/token", "hf_home\n");
  fs::permissions(folder_ / "hf/token", fs::perms::owner_read);
  expect("hf_home");
  EXPECT_THAT(said, Not(HasSubstr("warning")));
  WriteFile(folder_ / "elsewhere", "hf_path");
  fs::permissions(folder_ / "elsewhere", fs::perms::owner_read | fs::perms::others_read);
  environment.emplace_back("HF_TOKEN_PATH", folder_ / "elsewhere");
  expect("hf_path");
  EXPECT_THAT(said, HasSubstr("warning: Other users can read your access token; make it yours: "
                              "chmod 600 " +
                              (folder_ / "elsewhere").string()));
  WriteFile(work_.parent_path() / "HF_TOKEN", "hf_parent");
  expect("hf_parent");
  WriteFile(work_ / "HF_TOKEN", "hf_folder");
  expect("hf_folder");
  environment.emplace_back("HF_TOKEN", "hf_variable");
  expect("hf_variable");
  arguments.insert(arguments.end(), {"--hf-token", "hf_flag"});
  expect("hf_flag");
  EXPECT_THAT(said, Not(HasSubstr("hf_")));
}

}  // namespace
}  // namespace litertlm
