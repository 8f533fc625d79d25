// The commands, through the built program and against the test server.
#ifndef LITERTLM_TESTS_HUB_COMMAND_FIXTURE_H_
#define LITERTLM_TESTS_HUB_COMMAND_FIXTURE_H_

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/program.h"
#include "tests/hub/hub_fixture.h"

namespace litertlm {

inline constexpr char kQuestion[] = "What is the capital of France?";
inline constexpr char kAnswer[] = "The capital of France is Paris.\n";

/// A repository with the files of testdata/`fixture`.
inline ServedRepository Fixture(const std::string& name, const std::string& fixture) {
  namespace fs = std::filesystem;
  ServedRepository repository{.name = name, .files = {}};
  for (const auto& entry :
       fs::directory_iterator(fs::path(LITERTLM_SOURCE_DIR) / "testdata" / fixture)) {
    const std::string path = entry.path().filename();
    if (!entry.is_regular_file() || path.starts_with("logits")) continue;
    repository.files.push_back({path, std::make_shared<const std::string>(ReadFile(entry.path())),
                                path.ends_with(".safetensors")});
  }
  return repository;
}

class CommandTest : public HubTest {
 protected:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  CommandTest() { std::filesystem::create_directories(work_); }

  /// In a folder of the test's own, where nothing of the developer lies. `more` overrides.
  Invocation Command(std::vector<std::string> arguments, const Environment& more = {}) const {
    Invocation invocation{.arguments = std::move(arguments),
                          .folder = work_,
                          .environment = {{"HOME", folder_},
                                          {"HF_ENDPOINT", server_.endpoint()},
                                          {"HF_HUB_OFFLINE", ""},
                                          {"LITERTLM_MODELS_DIR", models_}}};
    invocation.environment.insert(invocation.environment.end(), more.begin(), more.end());
    return invocation;
  }
  Outcome Run(std::vector<std::string> arguments, const Environment& more = {}) const {
    return Invoke(Command(std::move(arguments), more));
  }
  /// Greedily, so that the answer is always the same.
  Outcome Ask(const std::string& model) const {
    return Run({"run", model, "--prompt", kQuestion, "--temperature", "0"});
  }
  /// Nothing of `name`, an organization or a repository, is left, whole or half.
  void ExpectNothingOf(const std::string& name) const {
    EXPECT_FALSE(std::filesystem::exists(models_ / name));
  }
  /// The folder of o/m holds m.litertlm with this content, and nothing else.
  void ExpectOnly(const std::string& content) const {
    EXPECT_TRUE(ReadFile(models_ / "o/m/m.litertlm", UINT64_MAX) == content);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(models_ / "o/m"), {}), 1);
  }

  const std::filesystem::path models_ = folder_ / "models";
  const std::filesystem::path work_ = folder_ / "parent" / "work";
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_HUB_COMMAND_FIXTURE_H_
