// `convert`, and how names become files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "tests/cli/program.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kTestData = LITERTLM_SOURCE_DIR "/testdata";

class ConvertTest : public testing::Test {
 protected:
  Outcome Program(std::vector<std::string> arguments) {
    return Invoke({.arguments = std::move(arguments),
                   .environment = {{"LITERTLM_MODELS_DIR", models_.string()}}});
  }
  // A checkpoint of our own to spoil.
  fs::path Copy(const std::string& name) {
    const fs::path copy = folder_.path() / name;
    fs::create_directories(copy.parent_path());
    fs::copy(kTestData / "tiny-qwen3", copy, fs::copy_options::recursive);
    return copy;
  }
  // Files that are neither finished models nor links to checkpoints.
  std::vector<std::string> Leftovers() {
    std::vector<std::string> names;
    if (!fs::exists(models_)) return names;
    for (const auto& entry : fs::recursive_directory_iterator(models_)) {
      if (entry.is_regular_file() && entry.path().extension() != ".litertlm") {
        names.push_back(entry.path());
      }
    }
    return names;
  }

  TestFolder folder_;
  fs::path models_ = folder_.path() / "models";
};

TEST_F(ConvertTest, SaysWhereTheFileIsAndHowToRunIt) {
  const Outcome outcome = Program({"convert", "tiny-qwen3"});
  EXPECT_EQ(outcome.status, 0);
  const fs::path file = models_ / "bundled/tiny-qwen3/tiny-qwen3.litertlm";
  EXPECT_TRUE(fs::exists(file));
  EXPECT_THAT(outcome.out, HasSubstr("Wrote " + file.string()));
  EXPECT_THAT(outcome.out, HasSubstr("dynamic_int8"));
  EXPECT_THAT(outcome.out, HasSubstr("Run it: litert-lm-cli run tiny-qwen3\n"));
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

TEST_F(ConvertTest, LeavesAnExistingFileAloneUnlessForced) {
  ASSERT_EQ(Program({"convert", "tiny-qwen3"}).status, 0);
  const fs::path file = models_ / "bundled/tiny-qwen3/tiny-qwen3.litertlm";
  const auto size = fs::file_size(file);
  const Outcome again = Program({"convert", "tiny-qwen3", "--quantize", "none"});
  EXPECT_EQ(again.status, 0);
  EXPECT_THAT(again.out, HasSubstr("Model already exists: " + file.string()));
  EXPECT_THAT(again.out, HasSubstr("to have it with --quantize none, convert it again"));
  EXPECT_THAT(again.out, HasSubstr("litert-lm-cli convert tiny-qwen3 --quantize none --force"));
  EXPECT_THAT(Program({"convert", "tiny-qwen3"}).out,
              HasSubstr("\nConvert it again: litert-lm-cli convert tiny-qwen3 --force\n"));
  EXPECT_EQ(fs::file_size(file), size);
  EXPECT_EQ(Program({"convert", "tiny-qwen3", "--quantize", "none", "--force"}).status, 0);
  EXPECT_GT(fs::file_size(file), size);
}

TEST_F(ConvertTest, WritesWhereItIsTold) {
  const std::string place = folder_.path() / "place";
  const Outcome outcome = Program({"convert", "tiny-gemma3", "--output-dir", place});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("run " + place + "/tiny-gemma3.litertlm"));
  EXPECT_TRUE(fs::exists(place + "/tiny-gemma3.litertlm"));
  EXPECT_FALSE(fs::exists(models_));
}

TEST_F(ConvertTest, WritesTheSameFileWithClosedStreams) {
  const fs::path whole = folder_.path() / "whole";
  ASSERT_EQ(Program({"convert", "tiny-qwen3", "--output-dir", whole}).status, 0);
  const std::string expected = ReadFile(whole / "tiny-qwen3.litertlm");
  for (const std::string closed : {"2>&-", "<&- 2>&-", "<&- >&- 2>&-"}) {
    const fs::path place = folder_.path() / closed;
    Invoke({.arguments = {"convert", "tiny-qwen3", "--output-dir", place},
            .wrapper = {"sh", "-c", "exec \"$0\" \"$@\" " + closed}});
    EXPECT_TRUE(ReadFile(place / "tiny-qwen3.litertlm") == expected) << closed;
  }
}

TEST_F(ConvertTest, NamesAFolderAfterItselfAndRemembersIt) {
  const fs::path folder = Copy("acme/parrot");
  const Outcome first = Program({"run", folder, "--prompt", "Hello!"});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(first.out, "Hello! How can I help you?\n");
  EXPECT_TRUE(fs::exists(models_ / "acme/parrot/parrot.litertlm"));
  // Afterwards the folder, its path and the name all mean that file.
  for (const std::string& name :
       {folder.string(), std::string("acme/parrot"), (models_ / "acme/parrot").string()}) {
    const Outcome outcome = Program({"run", name, "--prompt", "Hello!"});
    EXPECT_EQ(outcome.out, "Hello! How can I help you?\n");
    EXPECT_EQ(outcome.err, "");
  }
}

TEST_F(ConvertTest, TakesNoFolderForAnotherOfTheSameName) {
  const fs::path one = Copy("one/acme/parrot");
  const fs::path two = Copy("two/acme/parrot");
  ASSERT_EQ(Program({"convert", one}).status, 0);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"run", two, "--prompt", "x"}, {"convert", two}}) {
    const Outcome outcome = Program(arguments);
    EXPECT_EQ(outcome.status, 73) << arguments[0];
    EXPECT_THAT(outcome.err, HasSubstr("was converted from another folder, " + one.string()));
    EXPECT_THAT(outcome.err, HasSubstr("--output-dir"));
  }
  EXPECT_EQ(Program({"convert", two, "--force"}).status, 0);
  EXPECT_THAT(Program({"convert", two}).out, HasSubstr("Model already exists"));
}

TEST_F(ConvertTest, SuggestsTheNearestName) {
  ASSERT_EQ(Program({"convert", Copy("acme/parrot")}).status, 0);
  const struct {
    const char* name;
    const char* message;
    const char* hint;
    int status = 66;
  } mistakes[] = {
      {"tiny-qwen", "Model tiny-qwen was not found.", "Did you mean tiny-qwen3?"},
      {"nothing-like-it", "Model nothing-like-it was not found.", "Known here: "},
      // May be the name of a repository, which the tests ask nobody for.
      {"acme/parot", "acme/parot is not here", "Did you mean acme/parrot?", 69},
      {"./gone.litertlm", "There is no file ./gone.litertlm.", ""},
      {"/", "The folder / holds neither a .litertlm file nor a config.json.", "safetensors"},
  };
  for (const auto& mistake : mistakes) {
    const Outcome outcome = Program({"run", mistake.name, "--prompt", "x"});
    EXPECT_EQ(outcome.status, mistake.status);
    EXPECT_THAT(outcome.err, HasSubstr(mistake.message));
    EXPECT_THAT(outcome.err, HasSubstr(mistake.hint));
  }
}

TEST_F(ConvertTest, FailuresLeaveNothingBehind) {
  const fs::path truncated = Copy("acme/truncated");
  fs::resize_file(truncated / "model.safetensors", 100000);
  const fs::path pointer = Copy("acme/pointer");
  std::ofstream(pointer / "model.safetensors") << "version https://git-lfs.github.com/spec/v1\n";
  const fs::path without = Copy("acme/without");
  fs::remove(without / "tokenizer.json");
  const fs::path unknown = Copy("acme/unknown");
  std::ofstream(unknown / "config.json") << R"({"model_type": "walrus"})";
  const struct {
    fs::path folder;
    int status;
    const char* message;
  } failures[] = {{truncated, 65, "model.safetensors"},
                  {pointer, 65, "git lfs pull"},
                  {without, 66, "tokenizer"},
                  {unknown, 69, "walrus"}};
  for (const auto& failure : failures) {
    const Outcome outcome = Program({"convert", failure.folder});
    EXPECT_EQ(outcome.status, failure.status) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(failure.message));
    EXPECT_EQ(Leftovers(), std::vector<std::string>());
    EXPECT_FALSE(fs::exists(models_ / "acme" / failure.folder.filename() /
                            (failure.folder.filename().string() + ".litertlm")));
  }
}

TEST_F(ConvertTest, RemovesWhatAKilledConversionLeft) {
  const fs::path folder = models_ / "bundled" / "tiny-qwen3";
  fs::create_directories(folder);
  std::ofstream(folder / "tiny-qwen3.litertlm.999999999.partial") << "half a model";
  EXPECT_EQ(Program({"convert", "tiny-qwen3"}).status, 0);
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

TEST_F(ConvertTest, SaysWhereItCannotWrite) {
  const std::string file = folder_.path() / "file";
  std::ofstream(file) << "in the way";
  const Outcome outcome = Program({"convert", "tiny-qwen3", "--output-dir", file + "/models"});
  EXPECT_THAT(outcome.err, HasSubstr(file));
  EXPECT_EQ(outcome.status, 73);
}

}  // namespace
}  // namespace litertlm
