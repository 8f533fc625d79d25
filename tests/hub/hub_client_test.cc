#include "hub/hub_client.h"

#include "tests/hub/hub_fixture.h"

namespace litertlm {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class HubClientTest : public HubTest {
 protected:
  HubClientTest() {
    server_.Add("Qwen/Qwen3-0.6B",
                {{"config.json", "{}"}, {"model.safetensors", "weights"}, {"README.md", "# Q"}});
  }
  HubOptions WithToken(const std::string& token) const {
    HubOptions options = Options();
    options.token = {.value = token, .source = "HF_TOKEN", .warning = {}};
    return options;
  }
  Error OpenError(const HubOptions& options, const std::string& name,
                  const std::string& revision = "main") {
    return ErrorOf([&] { HubClient(options).Open(name, revision); });
  }
};

TEST_F(HubClientTest, ListsARepositoryAtACommit) {
  server_.SetPageSize(1);
  const Repository repository = HubClient(Options()).Open("Qwen/Qwen3-0.6B", "main");
  EXPECT_EQ(repository.commit, "0123456789abcdef0123456789abcdef01234567");
  ASSERT_EQ(repository.files.size(), 3u);
  const RemoteFile* weights = repository.Find("model.safetensors");
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(weights->content.size, 7u);
  // sha256sum and git hash-object say so.
  EXPECT_EQ(weights->content.sha256,
            "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c");
  EXPECT_EQ(repository.Find("config.json")->content.git_oid,
            "9e26dfeeb6e641a33dae4961196235bdb965b21b");
}

TEST_F(HubClientTest, LocatesWithoutGoingToTheOtherHost) {
  HubClient hub(WithToken(kReaderToken));
  const Repository repository = hub.Open("Qwen/Qwen3-0.6B", "main");
  const FileLocation large = hub.Locate(repository, "model.safetensors");
  EXPECT_FALSE(SameOrigin(large.url, server_.endpoint()));
  EXPECT_EQ(large.content.sha256, repository.Find("model.safetensors")->content.sha256);
  EXPECT_EQ(large.content.size, 7u);
  EXPECT_EQ(large.commit, repository.commit);
  const FileLocation small = hub.Locate(repository, "config.json");
  EXPECT_THAT(small.url, HasSubstr("/api/resolve-cache/"));
  EXPECT_TRUE(SameOrigin(small.url, server_.endpoint()));
  for (const ServedRequest& request : server_.requests()) EXPECT_FALSE(request.cdn);
}

TEST_F(HubClientTest, UnsafeAndStrangeEntriesAreLeftOut) {
  for (const char* entry :
       {R"({"type": "file", "path": "../../evil", "size": 1})",
        R"({"type": "file", "path": "/etc/passwd", "size": 1})",
        R"({"type": "file", "path": "a\u0000b", "size": 1})", R"({"type": "file", "size": 1})",
        R"({"type": "directory", "path": "folder"})", "3", "null", R"(["file"])",
        R"({"type": "file", "path": 5, "size": "x", "lfs": 7})"}) {
    server_.AddRawListingEntry(entry);
  }
  EXPECT_EQ(HubClient(Options()).Open("Qwen/Qwen3-0.6B", "main").files.size(), 3u);
}

TEST_F(HubClientTest, MissingRepositoryNamesTheNearest) {
  const Error without = OpenError(Options(), "Qwen/Qwen3-0.7B");
  EXPECT_EQ(without.code(), ErrorCode::kNotFound);
  EXPECT_THAT(without.message(), HasSubstr("There is no public repository Qwen/Qwen3-0.7B"));
  EXPECT_THAT(without.hint(),
              AllOf(HasSubstr("Did you mean Qwen/Qwen3-0.6B?"), HasSubstr("HF_TOKEN")));
  const Error with = OpenError(WithToken(kReaderToken), "Qwen/Qwen3-0.7B");
  EXPECT_EQ(with.code(), ErrorCode::kNotFound);
  EXPECT_THAT(with.message(), HasSubstr("(404)"));
}

TEST_F(HubClientTest, MissingRevisionNamesTheNearest) {
  const Error error = OpenError(Options(), "Qwen/Qwen3-0.6B", "v1.1");
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr("no revision v1.1"));
  EXPECT_THAT(error.hint(), HasSubstr("Did you mean v1.0?"));
}

TEST_F(HubClientTest, MissingFileIsNamed) {
  HubClient hub(Options());
  const Repository repository = hub.Open("Qwen/Qwen3-0.6B", "main");
  const Error error = ErrorOf([&] { hub.Locate(repository, "absent.bin"); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr("has no file absent.bin"));
}

TEST_F(HubClientTest, UnauthorizedWithoutAnErrorCode) {
  server_.Fail("/api/models/o/m/", 1, 401);
  const Error error = OpenError(Options(), "o/m");
  EXPECT_EQ(error.code(), ErrorCode::kDenied);
  EXPECT_THAT(error.message(), HasSubstr("Unauthorized (401)"));
  EXPECT_THAT(error.hint(), HasSubstr("https://huggingface.co/settings/tokens"));
}

TEST_F(HubClientTest, ExpiredTokenIsNamedByItsSource) {
  const Error error = OpenError(WithToken("hf_expired"), "Qwen/Qwen3-0.6B");
  EXPECT_EQ(error.code(), ErrorCode::kDenied);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("Unauthorized (401)"), HasSubstr("from HF_TOKEN"),
                                     Not(HasSubstr("hf_exp"))));
}

TEST_F(HubClientTest, GatedRepositorySaysWhatToDo) {
  server_.Add({.name = "google/gemma-3-1b-it",
               .files = {{"config.json", std::make_shared<const std::string>("{}"), false}},
               .gated = true});
  const auto locate = [&](const HubOptions& options) {
    HubClient hub(options);
    hub.Locate(hub.Open("google/gemma-3-1b-it", "main"), "config.json");
  };
  const Error without = ErrorOf([&] { locate(Options()); });
  EXPECT_EQ(without.code(), ErrorCode::kDenied);
  EXPECT_THAT(without.message(), AllOf(HasSubstr("Unauthorized (401)"), HasSubstr("gated")));
  EXPECT_THAT(without.hint(), AllOf(HasSubstr("/google/gemma-3-1b-it"), HasSubstr("HF_TOKEN")));
  const Error reader = ErrorOf([&] { locate(WithToken(kReaderToken)); });
  EXPECT_EQ(reader.code(), ErrorCode::kDenied);
  EXPECT_THAT(reader.message(), HasSubstr("Forbidden (403)"));
  EXPECT_THAT(reader.hint(), HasSubstr("\"Agree and access repository\" and try again"));
  locate(WithToken(kMemberToken));
}

TEST_F(HubClientTest, TransientFailuresAreRetried) {
  server_.Fail("/revision/", 2, 503);
  server_.Fail("/tree/", 1, 429, "Retry-After: 1\r\n");
  EXPECT_EQ(HubClient(Options()).Open("Qwen/Qwen3-0.6B", "main").files.size(), 3u);
}

TEST_F(HubClientTest, RateLimitThatIsTooLongIsReported) {
  server_.Fail("/revision/", 9, 429, "Retry-After: 3600\r\n");
  const Error error = OpenError(Options(), "Qwen/Qwen3-0.6B");
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("Rate limited (429)"));
  EXPECT_THAT(error.hint(), HasSubstr("in 3600 seconds"));
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(HubClientTest, ServerThatStaysBrokenIsReported) {
  server_.Fail("/revision/", 99, 500);
  EXPECT_THAT(OpenError(Options(), "Qwen/Qwen3-0.6B").message(), HasSubstr("(500)"));
  EXPECT_EQ(server_.requests().size(), 5u);
}

TEST_F(HubClientTest, AWebPageIsNoAnswer) {
  server_.Fail("/revision/", 1, 200, "Content-Type: text/html\r\n");
  const Error error = OpenError(Options(), "Qwen/Qwen3-0.6B");
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.hint(), HasSubstr("HF_ENDPOINT"));
}

TEST_F(HubClientTest, NoNetwork) {
  HubOptions options = Options();
  options.endpoint = "http://127.0.0.1:1";
  const Error refused = OpenError(options, "Qwen/Qwen3-0.6B");
  EXPECT_EQ(refused.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(refused.message(), HasSubstr("No network: cannot connect to 127.0.0.1"));
  options.endpoint = "http://hub.invalid";
  EXPECT_THAT(OpenError(options, "Qwen/Qwen3-0.6B").message(),
              HasSubstr("the address of hub.invalid cannot be found"));
}

TEST_F(HubClientTest, BrokenProxyIsNamedAsSuch) {
  ::setenv("http_proxy", "http://user:secret@127.0.0.1:1", 1);
  HubOptions options = Options();
  options.endpoint = "http://hub.invalid";
  const Error error = OpenError(options, "Qwen/Qwen3-0.6B");
  ::unsetenv("http_proxy");
  EXPECT_THAT(error.message(), AllOf(HasSubstr("through the proxy"), Not(HasSubstr("secret"))));
}

TEST_F(HubClientTest, RedirectsAreBoundedAndStayWithHttp) {
  server_.Fail("/revision/", 11, 307, "Location: /api/models/o/m/revision/main\r\n");
  EXPECT_THAT(OpenError(Options(), "o/m").message(), HasSubstr("in a circle"));
  server_.Fail("/api/models/x/", 1, 302, "Location: file:///etc/passwd\r\n");
  EXPECT_THAT(OpenError(Options(), "x/y").message(), HasSubstr("begins with \"file:\""));
}

TEST_F(HubClientTest, TheTokenStaysWithItsHost) {
  HubServer other;
  server_.Fail("/revision/", 1, 307,
               "Location: " + other.endpoint() + "/api/models/o/m/revision/main\r\n");
  OpenError(WithToken(kReaderToken), "o/m");
  ASSERT_EQ(other.requests().size(), 1u);
  EXPECT_EQ(other.requests()[0].token, "");
  EXPECT_EQ(server_.requests()[0].token, kReaderToken);
}

TEST_F(HubClientTest, OfflineAsksNobody) {
  HubOptions options = Options();
  options.offline = true;
  const Error error = OpenError(options, "Qwen/Qwen3-0.6B");
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("Offline mode is on (HF_HUB_OFFLINE)"));
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(HubClientTest, SearchFindsModelFiles) {
  server_.Add("litert-community/Qwen3-0.6B", {{"Qwen3-0.6B.litertlm", "x"}, {"README.md", "y"}});
  server_.Add({.name = "litert-community/qwen-untagged",
               .files = {{"q.litertlm", std::make_shared<const std::string>("z"), true}},
               .tags = {}});
  const auto results = HubClient(Options()).Search("qwen");
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].name, "litert-community/Qwen3-0.6B");
  EXPECT_THAT(results[0].files, ElementsAre("Qwen3-0.6B.litertlm"));
  EXPECT_EQ(results[0].updated, "2026-05-18");
  EXPECT_EQ(results[1].name, "litert-community/qwen-untagged");
}

TEST_F(HubClientTest, EnvironmentIsChecked) {
  ::setenv("HF_ENDPOINT", "https://mirror.example/", 1);
  EXPECT_EQ(HubOptionsFromEnvironment(std::nullopt).endpoint, "https://mirror.example");
  ::setenv("HF_ENDPOINT", "mirror.example", 1);
  EXPECT_EQ(ErrorOf([] { HubOptionsFromEnvironment(std::nullopt); }).code(), ErrorCode::kUsage);
  ::unsetenv("HF_ENDPOINT");
  ::setenv("HF_HUB_OFFLINE", "1", 1);
  EXPECT_TRUE(HubOptionsFromEnvironment(std::nullopt).offline);
}

}  // namespace
}  // namespace litertlm
