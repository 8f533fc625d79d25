// The commands, through the built program and against the test server.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/json.h"
#include "tests/cli/program.h"
#include "tests/hub/hub_fixture.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kQuestion[] = "What is the capital of France?";
constexpr char kAnswer[] = "The capital of France is Paris.\n";

// A repository with the files of testdata/`fixture`.
ServedRepository Fixture(const std::string& name, const std::string& fixture) {
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
  Invocation Command(std::vector<std::string> arguments) const {
    // In the test's own folder, where no HF_TOKEN of the developer lies.
    return {.arguments = std::move(arguments),
            .environment = {{"HF_ENDPOINT", server_.endpoint()},
                            {"HF_HOME", folder_ / "hf"},
                            {"HF_HUB_OFFLINE", ""},
                            {"HF_TOKEN", ""},
                            {"HF_HUB_DOWNLOAD_TIMEOUT", "1"},
                            {"LITERTLM_HUB_RETRIES", "2"},
                            {"LITERTLM_MODELS_DIR", models_}}};
  }
  Outcome Run(std::vector<std::string> arguments) const {
    return Invoke(Command(std::move(arguments)));
  }
  Outcome RunWith(std::vector<std::string> arguments, const std::string& variable,
                  const std::string& value) const {
    Invocation invocation = Command(std::move(arguments));
    invocation.environment.emplace_back(variable, value);
    return Invoke(invocation);
  }
  // The file that the bundled model converts to, for repositories that serve one.
  std::string ModelFile() const {
    const fs::path folder = folder_ / "made";
    EXPECT_EQ(Run({"convert", "tiny-qwen3", "--output-dir", folder}).status, 0);
    return ReadFile(folder / "tiny-qwen3.litertlm");
  }
  // Waits until so many bytes of files have been served in all.
  void AwaitServed(uint64_t bytes) const {
    while (server_.bytes_served() < bytes) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  // Nothing of `repository` is left, whole or half.
  void ExpectNothingOf(const std::string& repository) const {
    EXPECT_FALSE(fs::exists(models_ / repository));
  }

  const fs::path models_ = folder_ / "models";
};

TEST_F(CommandTest, RunGoesFromNothingToAnAnswer) {
  server_.Add(Fixture("Qwen/Tiny-Qwen3", "tiny-qwen3"));
  const Outcome first =
      Run({"run", "Qwen/Tiny-Qwen3", "--prompt", kQuestion, "--temperature", "0"});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(first.out, kAnswer);
  EXPECT_THAT(first.err,
              AllOf(HasSubstr("Model not found locally. Converting from HuggingFace…"),
                    HasSubstr((models_ / "Qwen/Tiny-Qwen3/checkpoint").string()),
                    HasSubstr((models_ / "Qwen/Tiny-Qwen3/Tiny-Qwen3.litertlm").string())));
  EXPECT_TRUE(fs::exists(models_ / "Qwen/Tiny-Qwen3/checkpoint/model.safetensors"));
  EXPECT_TRUE(fs::exists(models_ / "Qwen/Tiny-Qwen3/Tiny-Qwen3.litertlm"));
  server_.ForgetRequests();
  const Outcome second =
      Run({"run", "Qwen/Tiny-Qwen3", "--prompt", kQuestion, "--temperature", "0"});
  EXPECT_EQ(second.out, kAnswer);
  EXPECT_EQ(second.err, "");
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(CommandTest, RunPrefersAModelFile) {
  const std::string model = ModelFile();
  server_.Add("litert-community/tiny", {{"tiny-q8.litertlm", model},
                                        {"tiny_sm8550.litertlm", "not for this machine"},
                                        {"README.md", "# tiny"}});
  const Outcome first =
      Run({"run", "litert-community/tiny", "--prompt", kQuestion, "--temperature", "0"});
  EXPECT_EQ(first.out, kAnswer) << first.err;
  EXPECT_THAT(first.err, HasSubstr("2 .litertlm files; this is tiny-q8.litertlm"));
  EXPECT_TRUE(ReadFile(models_ / "litert-community/tiny/tiny-q8.litertlm") == model);
  EXPECT_EQ(std::distance(fs::directory_iterator(models_ / "litert-community/tiny"), {}), 1);
  server_.ForgetRequests();
  EXPECT_EQ(Run({"run", "litert-community/tiny", "--prompt", kQuestion, "--temperature", "0"}).out,
            kAnswer);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(CommandTest, ShardedCheckpointIsConverted) {
  server_.Add(Fixture("Qwen/Sharded", "tiny-qwen3-sharded"));
  const Outcome outcome = Run({"convert", "Qwen/Sharded"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(fs::exists(models_ / "Qwen/Sharded/Sharded.litertlm"));
  EXPECT_THAT(Run({"convert", "Qwen/Sharded"}).out, HasSubstr("Model already exists"));
}

TEST_F(CommandTest, CheckpointInTheHuggingFaceCacheIsUsedFromThere) {
  const fs::path repo = folder_ / "hf/hub/models--Qwen--Tiny-Qwen3";
  const std::string commit(40, 'c');
  WriteFile(repo / "refs/main", commit);
  fs::create_directories(repo / "snapshots");
  fs::copy(fs::path(LITERTLM_SOURCE_DIR) / "testdata/tiny-qwen3", repo / "snapshots" / commit);
  const Outcome outcome =
      Run({"run", "Qwen/Tiny-Qwen3", "--prompt", kQuestion, "--temperature", "0"});
  EXPECT_EQ(outcome.out, kAnswer) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("Hugging Face cache"));
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(CommandTest, UnsupportedFamilyIsRefusedBeforeTheWeights) {
  server_.Add("o/other", {{"config.json", R"({"model_type": "mamba"})"},
                          {"model.safetensors", RandomBytes(1 << 20, 1)}});
  const Outcome outcome = Run({"run", "o/other", "--prompt", "x"});
  EXPECT_EQ(outcome.status, 69);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("mamba"), HasSubstr("qwen3"), HasSubstr("gemma3")));
  EXPECT_LT(server_.bytes_served(), 1000u);
  ExpectNothingOf("o");
}

TEST_F(CommandTest, GemmaOneBillionStandsForItsChatForm) {
  server_.Add(Fixture("google/gemma-3-1b-it", "tiny-gemma3"));
  const Outcome outcome = Run({"convert", "google/gemma-3-1b"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("google/gemma-3-1b has no repository of its own"));
  EXPECT_TRUE(fs::exists(models_ / "google/gemma-3-1b-it/gemma-3-1b-it.litertlm"));
}

TEST_F(CommandTest, MissingRepositorySuggestsTheNearest) {
  server_.Add(Fixture("Qwen/Tiny-Qwen3", "tiny-qwen3"));
  const Outcome outcome = Run({"run", "Qwen/Tiny-Qwen4", "--prompt", "x"});
  EXPECT_EQ(outcome.status, 66);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("There is no public repository Qwen/Tiny-Qwen4"),
                                 HasSubstr("Did you mean Qwen/Tiny-Qwen3?")));
  ExpectNothingOf("Qwen");
}

TEST_F(CommandTest, GatedRepositoryNeedsATokenAndAgreement) {
  ServedRepository gated = Fixture("google/tiny", "tiny-gemma3");
  gated.gated = true;
  server_.Add(std::move(gated));
  const Outcome without = Run({"pull", "google/tiny"});
  EXPECT_EQ(without.status, 77);
  EXPECT_THAT(without.err, AllOf(HasSubstr("Unauthorized (401)"), HasSubstr("HF_TOKEN"),
                                 HasSubstr("https://huggingface.co/settings/tokens")));
  ExpectNothingOf("google");
  const Outcome reader = Run({"pull", "google/tiny", "--hf-token", kReaderToken});
  EXPECT_EQ(reader.status, 77);
  EXPECT_THAT(reader.err, AllOf(HasSubstr("Forbidden (403)"), Not(HasSubstr(kReaderToken)),
                                HasSubstr(server_.endpoint() + "/google/tiny"),
                                HasSubstr("Agree and access repository")));
  ExpectNothingOf("google");
  const Outcome member = RunWith({"pull", "google/tiny"}, "HF_TOKEN", kMemberToken);
  EXPECT_EQ(member.status, 0) << member.err;
  EXPECT_TRUE(fs::exists(models_ / "google/tiny/checkpoint/model.safetensors"));
  EXPECT_EQ(server_.leaked_tokens(), 0);
}

struct RefusalCase {
  const char* about;
  int status;
  const char* headers;
  int exit_status;
  const char* words;

  friend void PrintTo(const RefusalCase& refusal, std::ostream* out) { *out << refusal.about; }
};

class RefusalTest : public CommandTest, public testing::WithParamInterface<RefusalCase> {};

TEST_P(RefusalTest, IsExplainedAndLeavesNothing) {
  server_.Add(Fixture("o/m", "tiny-qwen3"));
  server_.Fail("/o/m/", 99, GetParam().status, GetParam().headers);
  const Outcome outcome = Run({"pull", "o/m"});
  EXPECT_EQ(outcome.status, GetParam().exit_status) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr(GetParam().words));
  EXPECT_THAT(outcome.err, HasSubstr("hint: "));
  EXPECT_EQ(outcome.out, "");
  ExpectNothingOf("o");
}

INSTANTIATE_TEST_SUITE_P(
    Statuses, RefusalTest,
    testing::Values(RefusalCase{"Unauthorized", 401, "", 77, "Unauthorized (401)"},
                    RefusalCase{"Gated", 403, "X-Error-Code: GatedRepo\r\n", 77, "is gated"},
                    RefusalCase{"Forbidden", 403, "X-Error-Message: No entry\r\n", 77, "No entry"},
                    RefusalCase{"NoRevision", 404, "X-Error-Code: RevisionNotFound\r\n", 66,
                                "has no revision main"},
                    RefusalCase{"Limited", 429, "Retry-After: 600\r\n", 69, "Rate limited (429)"},
                    RefusalCase{"Broken", 502, "", 69, "has a problem of its own (502)"}),
    [](const auto& test) { return test.param.about; });

TEST_F(CommandTest, NoNetworkOfflineAndProxy) {
  const Outcome network =
      RunWith({"run", "o/m", "--prompt", "x"}, "HF_ENDPOINT", "http://127.0.0.1:1");
  EXPECT_EQ(network.status, 69);
  EXPECT_THAT(network.err, HasSubstr("No network"));
  const Outcome offline = RunWith({"run", "o/m", "--prompt", "x"}, "HF_HUB_OFFLINE", "1");
  EXPECT_EQ(offline.status, 69);
  EXPECT_THAT(offline.err, HasSubstr("Offline mode is on (HF_HUB_OFFLINE), and o/m is not here"));
  Invocation proxied = Command({"run", "o/m", "--prompt", "x"});
  proxied.environment.emplace_back("HF_ENDPOINT", "http://hub.invalid");
  proxied.environment.emplace_back("http_proxy", "http://127.0.0.1:1");
  const Outcome proxy = Invoke(proxied);
  EXPECT_EQ(proxy.status, 69);
  EXPECT_THAT(proxy.err, HasSubstr("through the proxy"));
  EXPECT_FALSE(fs::exists(models_ / "o"));
}

TEST_F(CommandTest, FullDiskIsSaidBeforeTheFirstByte) {
  server_.Add(Fixture("o/m", "tiny-qwen3"));
  server_.AddRawListingEntry(
      R"({"type": "file", "path": "huge.litertlm", "size": 8000000000000000000})");
  const Outcome outcome = Run({"pull", "o/m"});
  EXPECT_EQ(outcome.status, 74);
  EXPECT_THAT(outcome.err, HasSubstr("The disk is too full"));
  EXPECT_EQ(server_.bytes_served(), 0u);
  ExpectNothingOf("o");
}

TEST_F(CommandTest, PullIncludesAndFiles) {
  server_.Add("o/m", {{"a.litertlm", "first"}, {"b.litertlm", "second"}, {"docs/x.json", "{}"}});
  EXPECT_EQ(Run({"pull", "o/m", "--file", "b"}).status, 0);
  EXPECT_EQ(ReadFile(models_ / "o/m/b.litertlm"), "second");
  EXPECT_EQ(Run({"pull", "o/m", "--include", "docs/*"}).status, 0);
  EXPECT_EQ(ReadFile(models_ / "o/m/docs/x.json"), "{}");
  const Outcome wrong = Run({"pull", "o/m", "--file", "c.litertlm"});
  EXPECT_EQ(wrong.status, 66);
  EXPECT_THAT(wrong.err, HasSubstr("Did you mean"));
  const Outcome revision = Run({"pull", "o/m", "--revision", "v1.1"});
  EXPECT_EQ(revision.status, 66);
  EXPECT_THAT(revision.err, HasSubstr("Did you mean v1.0?"));
}

TEST_F(CommandTest, ListShowAndRemove) {
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
  EXPECT_THAT(Run({"show", "Qwen/Tiny-Qwen3"}).out, HasSubstr("LlmMetadataProto"));

  const Outcome unasked = Run({"rm", "Qwen/Tiny-Qwen3"});
  EXPECT_EQ(unasked.status, 64);
  EXPECT_THAT(unasked.err, HasSubstr("--yes"));
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

TEST_F(CommandTest, SearchShowsModels) {
  server_.Add("litert-community/Qwen3-0.6B", {{"Qwen3-0.6B.litertlm", "x"}});
  server_.Add("Qwen/Qwen3-0.6B", {{"config.json", "{}"}});
  const Outcome table = Run({"search", "qwen3"});
  EXPECT_THAT(table.out, AllOf(HasSubstr("litert-community/Qwen3-0.6B"),
                               HasSubstr("Qwen3-0.6B.litertlm"), HasSubstr("2026-05-18")));
  EXPECT_THAT(table.out, Not(HasSubstr("\nQwen/")));
  EXPECT_EQ(Json::parse(Run({"search", "qwen3", "--json"}).out).size(), 1u);
  EXPECT_THAT(Run({"search", "nothing-like-it"}).err, HasSubstr("No model"));
}

// The program as a child that the test can signal at any moment. What it says on standard error
// goes to the file `err`.
class Child {
 public:
  Child(const Invocation& invocation, const fs::path& err) {
    for (const auto& [name, value] : invocation.environment) {
      ::setenv(name.c_str(), value.c_str(), 1);
    }
    std::string program = LITERTLM_BINARY_DIR "/litert-lm-cli";
    std::vector<std::string> arguments = invocation.arguments;
    std::vector<char*> argv = {program.data()};
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGINT);  // Ignored where the tests run in the background of a shell.
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    EXPECT_EQ(posix_spawn(&pid_, program.c_str(), &actions, &attributes, argv.data(), environ), 0);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) Signal(SIGKILL), Wait();
  }

  void Signal(int signal) const { ::kill(pid_, signal); }
  /// The exit status, or 128 + the signal that ended it.
  int Wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
};

TEST_F(CommandTest, InterruptedDownloadSaysHowToGoOn) {
  const std::string content = RandomBytes(8 << 20, 3);
  server_.Add("o/m", {{"m.litertlm", content}});
  server_.LimitRate(1 << 20);
  Child child(Command({"pull", "o/m"}), folder_ / "err");
  AwaitServed(3 << 20);
  child.Signal(SIGINT);
  EXPECT_EQ(child.Wait(), 130);
  EXPECT_THAT(ReadFile(folder_ / "err"),
              AllOf(HasSubstr("Interrupted: "), HasSubstr("again to go on from there")));
  EXPECT_FALSE(fs::exists(models_ / "o/m/m.litertlm"));
  server_.LimitRate(0);
  EXPECT_EQ(Run({"pull", "o/m"}).status, 0);
  EXPECT_TRUE(ReadFile(models_ / "o/m/m.litertlm") == content);
  EXPECT_LT(server_.bytes_served(), content.size() * 5 / 4);
}

// A large file, the connection cut twenty times and the process killed five times, at places that
// a fixed seed chooses.
TEST_F(CommandTest, LargeDownloadSurvivesCutsAndKills) {
  constexpr size_t kSize = 200 << 20;
  const std::string content = RandomBytes(kSize, 11);
  server_.Add("o/large", {{"large.litertlm", content}});
  server_.LimitRate(16 << 20);
  std::mt19937 random(5);
  std::uniform_int_distribution<uint64_t> place(0, kSize - 1);
  std::vector<uint64_t> cuts(20);
  std::vector<uint64_t> kills(5);
  for (uint64_t& at : cuts) at = place(random);
  for (uint64_t& at : kills) at = place(random);
  std::sort(kills.begin(), kills.end());
  server_.CutAt(cuts);
  const Invocation pull = Command({"pull", "o/large"});
  for (const uint64_t at : kills) {
    Child child(pull, folder_ / "err");
    AwaitServed(at);
    child.Signal(SIGKILL);
    EXPECT_EQ(child.Wait(), 128 + SIGKILL);
    EXPECT_FALSE(fs::exists(models_ / "o/large/large.litertlm"));
  }
  EXPECT_EQ(Run({"pull", "o/large"}).status, 0);
  EXPECT_TRUE(ReadFile(models_ / "o/large/large.litertlm", UINT64_MAX) == content);
  EXPECT_EQ(std::distance(fs::directory_iterator(models_ / "o/large"), {}), 1);
  EXPECT_LT(server_.bytes_served(), kSize / 10 * 11);
  RecordProperty("fetched_percent", static_cast<int>(server_.bytes_served() * 100 / kSize));
}

}  // namespace
}  // namespace litertlm
