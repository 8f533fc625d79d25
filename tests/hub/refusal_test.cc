// What the user reads when it does not work: the words, the exit status, and that nothing
// half-written is left. One test for each line of the table in docs/errors.md.
#include "tests/hub/command_fixture.h"
#include "tests/hub/tls_listener.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct RefusalCase {
  const char* about;
  int status;
  const char* headers;
  int exit_status;
  const char* words;
  const char* hint;

  friend void PrintTo(const RefusalCase& refusal, std::ostream* out) { *out << refusal.about; }
};

class RefusalTest : public CommandTest, public testing::WithParamInterface<RefusalCase> {};

TEST_P(RefusalTest, IsExplainedAndLeavesNothing) {
  server_.Add(Fixture("o/m", "tiny-qwen3"));
  server_.Fail("/o/m/", 99, GetParam().status, GetParam().headers);
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"pull", "o/m"}, {"convert", "o/m"}, {"run", "o/m", "--prompt", "x"}}) {
    const Outcome outcome = Run(command, {{"LITERTLM_HUB_RETRIES", "1"}});
    EXPECT_EQ(outcome.status, GetParam().exit_status) << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("error: "), HasSubstr(GetParam().words),
                                   HasSubstr("hint: "), HasSubstr(GetParam().hint)));
    EXPECT_EQ(outcome.out, "");
    ExpectNothingOf("o");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Statuses, RefusalTest,
    testing::Values(
        RefusalCase{"Unauthorized", 401, "", 77, "Unauthorized (401)",
                    "https://huggingface.co/settings/tokens and set it: export HF_TOKEN="},
        RefusalCase{"Gated", 403, "X-Error-Code: GatedRepo\r\n", 77, "o/m is gated",
                    "\"Agree and access repository\""},
        RefusalCase{"Forbidden", 403, "X-Error-Message: No entry\r\n", 77, "No entry",
                    "needs the permission to read this repository"},
        RefusalCase{"NoRepository", 404, "X-Error-Code: RepoNotFound\r\n", 66,
                    "There is no public repository o/m", "Did you mean o/m"},
        RefusalCase{"NoRevision", 404, "X-Error-Code: RevisionNotFound\r\n", 66,
                    "has no revision main", "A revision is a branch, a tag or a commit."},
        RefusalCase{"Limited", 429, "Retry-After: 600\r\n", 69, "Rate limited (429)",
                    "Try again in 600 seconds. Requests with an access token"},
        RefusalCase{"Broken", 502, "", 69, "has a problem of its own (502)", "Try again later"},
        RefusalCase{"NoHub", 200, "", 69, "does not answer as the Hugging Face hub does",
                    "HF_ENDPOINT"}),
    [](const auto& test) { return test.param.about; });

class ErrorTest : public CommandTest {};

TEST_F(ErrorTest, MissingRepositorySuggestsTheNearest) {
  server_.Add(Fixture("Qwen/Tiny-Qwen3", "tiny-qwen3"));
  const Outcome outcome = Run({"run", "Qwen/Tiny-Qwen4", "--prompt", "x"});
  EXPECT_EQ(outcome.status, 66);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("There is no public repository Qwen/Tiny-Qwen4"),
                                 HasSubstr("Did you mean Qwen/Tiny-Qwen3?")));
  ExpectNothingOf("Qwen");
}

TEST_F(ErrorTest, MissingRevisionAndFileSuggestTheNearest) {
  server_.Add("o/m", {{"parrot-q8.litertlm", "x"}, {"parrot-web.litertlm", "y"}});
  const Outcome file = Run({"pull", "o/m", "--file", "parrot-q4.litertlm"});
  EXPECT_EQ(file.status, 66);
  EXPECT_THAT(file.err, AllOf(HasSubstr("has no file parrot-q4.litertlm"),
                              HasSubstr("Did you mean parrot-q8.litertlm?")));
  const Outcome revision = Run({"pull", "o/m", "--revision", "v1.1"});
  EXPECT_EQ(revision.status, 66);
  EXPECT_THAT(revision.err,
              AllOf(HasSubstr("has no revision v1.1"), HasSubstr("Did you mean v1.0?")));
  const Outcome pattern = Run({"pull", "o/m", "--include", "*.bin"});
  EXPECT_EQ(pattern.status, 66);
  EXPECT_THAT(pattern.err, HasSubstr("has no file that --include matches"));
  ExpectNothingOf("o");
}

TEST_F(ErrorTest, NameThatIsNotHereSuggestsTheNearest) {
  server_.Add("o/parrot", {{"m.litertlm", "x"}});
  ASSERT_EQ(Run({"pull", "o/parrot"}).status, 0);
  for (const char* command : {"rm", "show"}) {
    const Outcome outcome = Run({command, "o/parot"});
    EXPECT_EQ(outcome.status, 66);
    EXPECT_THAT(outcome.err, HasSubstr("Did you mean o/parrot?"));
  }
  const Outcome file = Run({"show", "o/parrot", "--file", "n.litertlm"});
  EXPECT_EQ(file.status, 66);
  EXPECT_THAT(file.err, HasSubstr("n.litertlm"));
  EXPECT_TRUE(fs::exists(models_ / "o/parrot/m.litertlm"));
}

TEST_F(ErrorTest, GatedRepositoryNeedsATokenAndAgreement) {
  ServedRepository gated = Fixture("google/tiny", "tiny-gemma3");
  gated.gated = true;
  server_.Add(std::move(gated));
  const Outcome without = Run({"pull", "google/tiny"});
  EXPECT_EQ(without.status, 77);
  EXPECT_THAT(without.err, AllOf(HasSubstr("Unauthorized (401)"), HasSubstr("HF_TOKEN"),
                                 HasSubstr("https://huggingface.co/settings/tokens")));
  ExpectNothingOf("google");
  const Outcome expired = Run({"pull", "google/tiny"}, {{"HF_TOKEN", "hf_expired"}});
  EXPECT_EQ(expired.status, 77);
  EXPECT_THAT(expired.err, AllOf(HasSubstr("does not accept the access token from HF_TOKEN"),
                                 HasSubstr("It may have expired"), Not(HasSubstr("hf_expired"))));
  ExpectNothingOf("google");
  const Outcome reader = Run({"pull", "google/tiny", "--hf-token", kReaderToken});
  EXPECT_EQ(reader.status, 77);
  EXPECT_THAT(reader.err, AllOf(HasSubstr("Forbidden (403)"), Not(HasSubstr(kReaderToken)),
                                HasSubstr(server_.endpoint() + "/google/tiny"),
                                HasSubstr("\"Agree and access repository\" and try again")));
  ExpectNothingOf("google");
  // A password for a mirror is as secret as a token.
  std::string mirror = server_.endpoint();
  mirror.insert(mirror.find("127"), "user:secret@");
  const Outcome behind = Run({"pull", "google/tiny"}, {{"HF_ENDPOINT", mirror}});
  EXPECT_THAT(behind.err,
              AllOf(HasSubstr(server_.endpoint() + "/google/tiny"), Not(HasSubstr("secret"))));
  const Outcome member = Run({"pull", "google/tiny"}, {{"HF_TOKEN", kMemberToken}});
  EXPECT_EQ(member.status, 0) << member.err;
  EXPECT_TRUE(fs::exists(models_ / "google/tiny/checkpoint/model.safetensors"));
  EXPECT_EQ(server_.leaked_tokens(), 0);
}

TEST_F(ErrorTest, UnsupportedFamilyIsRefusedBeforeTheWeights) {
  server_.Add("o/other", {{"config.json", R"({"model_type": "mamba"})"},
                          {"model.safetensors", RandomBytes(1 << 20, 1)}});
  const Outcome outcome = Run({"run", "o/other", "--prompt", "x"});
  EXPECT_EQ(outcome.status, 69);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("mamba"), HasSubstr("qwen3"), HasSubstr("gemma3")));
  EXPECT_LT(server_.bytes_served(), 1000u);
  ExpectNothingOf("o");
}

TEST_F(ErrorTest, RepositoryWithNothingToConvert) {
  server_.Add("o/file", {{"m.litertlm", "x"}});
  const Outcome file = Run({"convert", "o/file"});
  EXPECT_EQ(file.status, 66);
  EXPECT_THAT(file.err, AllOf(HasSubstr("only what is converted already"),
                              HasSubstr("litert-lm-cli run o/file")));
  server_.Add("o/data", {{"data.csv", "x"}});
  EXPECT_THAT(Run({"run", "o/data", "--prompt", "x"}).err,
              HasSubstr("holds neither a .litertlm file nor a config.json"));
  server_.Add("o/old", {{"config.json", "{}"}, {"pytorch_model.bin", "x"}});
  EXPECT_THAT(Run({"run", "o/old", "--prompt", "x"}).err, HasSubstr("has no safetensors weights"));
  ExpectNothingOf("o");
}

TEST_F(ErrorTest, NoNetwork) {
  const std::vector<std::string> run = {"run", "o/m", "--prompt", "x"};
  const Outcome refused = Run(run, {{"HF_ENDPOINT", "http://127.0.0.1:1"}});
  EXPECT_EQ(refused.status, 69);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("No network: cannot connect to 127.0.0.1"),
                                 HasSubstr("Check the network connection.")));
  const Outcome unknown = Run(run, {{"HF_ENDPOINT", "http://hub.invalid"}});
  EXPECT_EQ(unknown.status, 69);
  EXPECT_THAT(unknown.err, HasSubstr("No network: the address of hub.invalid cannot be found."));
  ExpectNothingOf("o");
}

TEST_F(ErrorTest, BrokenProxy) {
  const Outcome outcome = Run(
      {"run", "o/m", "--prompt", "x"},
      {{"HF_ENDPOINT", "http://hub.invalid"}, {"http_proxy", "http://user:secret@127.0.0.1:1"}});
  EXPECT_EQ(outcome.status, 69);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("Cannot reach hub.invalid through the proxy"),
                                 HasSubstr("no_proxy"), Not(HasSubstr("secret"))));
  ExpectNothingOf("o");
}

TEST_F(ErrorTest, CertificateThatNobodySigned) {
  server_.Add("o/m", {{"config.json", "{\"a\": 1}"}, {"m.litertlm", "x"}});
  const TlsListener tls(server_.endpoint());
  const std::vector<std::string> pull = {"pull", "o/m", "--include", "config.json"};
  const Outcome outcome = Run(pull, {{"HF_ENDPOINT", tls.endpoint()}, {"HF_TOKEN", kReaderToken}});
  EXPECT_EQ(outcome.status, 69);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("The certificate of 127.0.0.1 is not trusted"),
                                 HasSubstr("ca-certificates"), HasSubstr("SSL_CERT_FILE")));
  EXPECT_TRUE(server_.requests().empty());
  ExpectNothingOf("o");

  // What the hint says helps; but not where the certificate is another host's.
  WriteFile(folder_ / "ca.pem", tls.certificate());
  const std::pair<std::string, std::string> trust = {"SSL_CERT_FILE", folder_ / "ca.pem"};
  const Outcome other = Run(pull, {{"HF_ENDPOINT", tls.endpoint("localhost")}, trust});
  EXPECT_EQ(other.status, 69);
  EXPECT_THAT(other.err, HasSubstr("The certificate of localhost is not trusted"));
  ExpectNothingOf("o");
  const Outcome trusted = Run(pull, {{"HF_ENDPOINT", tls.endpoint()}, trust});
  EXPECT_EQ(trusted.status, 0) << trusted.err;
  EXPECT_EQ(ReadFile(models_ / "o/m/config.json"), "{\"a\": 1}");

  // And encryption is not given up half way: the large files are on a host without it.
  const Outcome plain = Run({"pull", "o/m"}, {{"HF_ENDPOINT", tls.endpoint()}, trust});
  EXPECT_EQ(plain.status, 69);
  EXPECT_THAT(plain.err, HasSubstr("redirects from https to an address that begins with \"http:"));
  EXPECT_FALSE(fs::exists(models_ / "o/m/m.litertlm"));
}

TEST_F(ErrorTest, CertificateThatExpired) {
  const TlsListener tls(server_.endpoint(), TlsListener::Validity::kOver);
  WriteFile(folder_ / "ca.pem", tls.certificate());
  const Outcome outcome = Run(
      {"pull", "o/m"}, {{"HF_ENDPOINT", tls.endpoint()}, {"SSL_CERT_FILE", folder_ / "ca.pem"}});
  EXPECT_EQ(outcome.status, 69);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("certificate has expired"),
                                 HasSubstr("Check the date of this machine")));
  ExpectNothingOf("o");
}

TEST_F(ErrorTest, OfflineAndNotHere) {
  const Outcome outcome = Run({"run", "o/m", "--prompt", "x"}, {{"HF_HUB_OFFLINE", "1"}});
  EXPECT_EQ(outcome.status, 69);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("Offline mode is on (HF_HUB_OFFLINE), and o/m is not here"),
                    HasSubstr("Unset HF_HUB_OFFLINE")));
  const Outcome search = Run({"search", "x"}, {{"HF_HUB_OFFLINE", "1"}});
  EXPECT_EQ(search.status, 69);
  EXPECT_THAT(search.err, HasSubstr("the hub cannot be searched"));
  EXPECT_TRUE(server_.requests().empty());
  ExpectNothingOf("o");
}

TEST_F(ErrorTest, ModelAlreadyExists) {
  server_.Add(Fixture("o/m", "tiny-qwen3"));
  ASSERT_EQ(Run({"convert", "o/m"}).status, 0);
  server_.ForgetRequests();
  const Outcome outcome = Run({"convert", "o/m"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("Model already exists: " + (models_ / "o/m/m.litertlm").string()),
                    HasSubstr("litert-lm-cli convert o/m --force")));
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(ErrorTest, DiskThatIsTooSmallIsSaidBeforeTheFirstByte) {
  server_.Add(Fixture("o/m", "tiny-qwen3"));
  server_.AddRawListingEntry(
      R"({"type": "file", "path": "huge.litertlm", "size": 8000000000000000000})");
  const Outcome outcome = Run({"pull", "o/m"});
  EXPECT_EQ(outcome.status, 74);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("The disk is too full: o/m needs 8000000000.00 GB"),
                                 HasSubstr("--models-dir")));
  EXPECT_EQ(server_.bytes_served(), 0u);
  ExpectNothingOf("o");
}

// A disk of 6 MB of its own, which something else fills while the download is under way.
TEST_F(ErrorTest, DiskThatFillsUpWhileWriting) {
  const std::string content = RandomBytes(4 << 20, 9);
  server_.Add("o/m", {{"m.litertlm", content}});
  server_.HoldAt(1 << 20);
  fs::create_directories(models_);
  WriteFile(folder_ / "expected", content);
  constexpr char kScript[] = R"sh(
    mount -t tmpfs -o size=6m tmpfs "$LITERTLM_MODELS_DIR" || exit 200
    file=$LITERTLM_MODELS_DIR/o/m/m.litertlm
    "$@" & child=$!
    until [ -s "$file.blocks" ]; do sleep 0.01; done
    cat /dev/zero >"$LITERTLM_MODELS_DIR/other" 2>/dev/null
    touch "$HOME/full"
    wait $child; status=$?
    [ ! -e "$file" ] || exit 201
    rm "$LITERTLM_MODELS_DIR/other"
    "$@" && cmp "$file" "$HOME/expected" || exit 202
    [ "$(ls "$LITERTLM_MODELS_DIR/o/m")" = m.litertlm ] || exit 203
    exit $status)sh";
  constexpr char kOnADiskOfItsOwn[] = R"sh(
    unshare --user --map-root-user --mount sh -c "$SCRIPT" sh "$@"; status=$?
    touch "$HOME/full"
    exit $status)sh";
  Invocation pull = Command({"pull", "o/m"}, {{"SCRIPT", kScript}});
  pull.wrapper = {"sh", "-c", kOnADiskOfItsOwn, "sh"};
  Process process(pull);
  while (!fs::exists(folder_ / "full")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  server_.Release();
  const Outcome outcome = process.Wait();
  if (outcome.status == 200 || outcome.err.starts_with("unshare: ")) {
    GTEST_SKIP() << "a disk of one's own is not to be had here: " << outcome.err;
  }
  EXPECT_EQ(outcome.status, 74) << outcome.err;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("The disk is full: "), HasSubstr("m.litertlm.partial cannot grow."),
                    HasSubstr("Free disk space and run the same command again to go on")));
}

TEST_F(ErrorTest, FileThatMayNotBeSoLarge) {
  server_.Add("o/m", {{"m.litertlm", RandomBytes(2 << 20, 9)}});
  const auto limited = [&](const std::vector<std::string>& arguments) {
    Invocation command = Command(arguments);
    command.wrapper = {"sh", "-c", "ulimit -f 1024 && exec \"$@\"", "sh"};
    return Invoke(command);
  };
  const Outcome pull = limited({"pull", "o/m"});
  EXPECT_EQ(pull.status, 74) << pull.err;
  EXPECT_THAT(pull.err, AllOf(HasSubstr("m.litertlm.partial would be larger than a file may be"),
                              HasSubstr("ulimit -f")));
  ExpectNothingOf("o");
  const Outcome convert = limited({"convert", "tiny-qwen3"});
  EXPECT_EQ(convert.status, 74) << convert.err;
  EXPECT_THAT(convert.err,
              AllOf(HasSubstr("Cannot write "), HasSubstr("tiny-qwen3.litertlm: File too large."),
                    HasSubstr("ulimit -f")));
  EXPECT_FALSE(fs::exists(models_ / "bundled"));
}

TEST_F(ErrorTest, ContentThatIsNeverRight) {
  server_.Add("o/m", {{"m.litertlm", RandomBytes(1 << 20, 2)}});
  server_.Corrupt("m.litertlm", 1000, 99);
  const Outcome outcome = Run({"pull", "o/m"});
  EXPECT_EQ(outcome.status, 65);
  EXPECT_THAT(outcome.err,
              HasSubstr("m.litertlm does not have the checksum that 127.0.0.1 states"));
  ExpectNothingOf("o");
}

TEST_F(ErrorTest, WrongNamesAndSettings) {
  const struct {
    std::vector<std::string> command;
    std::pair<std::string, std::string> variable;
    const char* words;
  } mistakes[] = {
      {{"pull", "parrot"}, {}, "\"parrot\" is not the name of a repository."},
      {{"pull", "o/m"}, {"HF_ENDPOINT", "hub.example"}, "HF_ENDPOINT does not begin with https://"},
      {{"pull", "o/m"}, {"LITERTLM_HUB_RETRIES", "x"}, "LITERTLM_HUB_RETRIES=\"x\" is not"},
      {{"pull", "o/m"}, {"HF_TOKEN", "two words"}, "The access token from HF_TOKEN is not one"},
      {{"pull", "o/m", "--progress", "bar"}, {}, "Unknown value for --progress: bar."},
      {{"rm", "o/m"}, {}, "is not removed without asking."},
  };
  server_.Add("o/m", {{"m.litertlm", "x"}});
  ASSERT_EQ(Run({"pull", "o/m"}).status, 0);
  for (const auto& mistake : mistakes) {
    const Outcome outcome =
        Run(mistake.command,
            mistake.variable.first.empty() ? Environment{} : Environment{mistake.variable});
    EXPECT_EQ(outcome.status, 64) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(mistake.words));
  }
  EXPECT_TRUE(fs::exists(models_ / "o/m/m.litertlm"));
}

}  // namespace
}  // namespace litertlm
