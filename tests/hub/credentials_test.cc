#include "hub/credentials.h"

#include "tests/hub/hub_fixture.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class CredentialsTest : public HubTest {
 protected:
  CredentialsTest() {
    fs::create_directories(folder_ / "parent" / "here");
    fs::current_path(folder_ / "parent" / "here");
  }
  ~CredentialsTest() override { fs::current_path(before_); }

  void Put(const fs::path& path, const std::string& content) {
    WriteFile(path, content);
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  }

  const fs::path before_ = fs::current_path();
};

// Each place is taken when all before it are empty.
TEST_F(CredentialsTest, LooksInTheDocumentedOrder) {
  EXPECT_EQ(FindToken(std::nullopt).value, "");
  Put(folder_ / "hf" / "token", "hf_home\n");
  EXPECT_EQ(FindToken(std::nullopt).value, "hf_home");
  Put(folder_ / "elsewhere", "hf_path");
  ::setenv("HF_TOKEN_PATH", (folder_ / "elsewhere").c_str(), 1);
  EXPECT_EQ(FindToken(std::nullopt).value, "hf_path");
  Put("../HF_TOKEN", "  hf_parent \r\n");
  EXPECT_EQ(FindToken(std::nullopt).value, "hf_parent");
  Put("HF_TOKEN", "hf_folder\n");
  EXPECT_EQ(FindToken(std::nullopt).value, "hf_folder");
  ::setenv("HF_TOKEN", "hf_variable", 1);
  EXPECT_EQ(FindToken(std::nullopt).value, "hf_variable");
  EXPECT_EQ(FindToken("hf_flag").value, "hf_flag");
  EXPECT_EQ(FindToken("hf_flag").source, "--hf-token");
  ::setenv("HF_TOKEN", "  ", 1);
  EXPECT_EQ(FindToken("").value, "hf_folder");
}

TEST_F(CredentialsTest, WarnsAboutAFileThatOthersCanRead) {
  Put("HF_TOKEN", "hf_secret");
  EXPECT_EQ(FindToken(std::nullopt).warning, "");
  fs::permissions("HF_TOKEN", fs::perms::others_read, fs::perm_options::add);
  const Token token = FindToken(std::nullopt);
  EXPECT_THAT(token.warning, HasSubstr("chmod 600 HF_TOKEN"));
  EXPECT_THAT(token.warning, Not(HasSubstr("hf_secret")));
}

TEST_F(CredentialsTest, RefusesWhatWouldBreakAHeaderWithoutShowingIt) {
  for (const char* bad :
       {"hf_secret\r\nX-Evil: 1", "hf_secret two", "hf_secret\x01", "hf_secr\xC3\xA9t"}) {
    const Error error = ErrorOf([&] { FindToken(bad); });
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.message() + error.hint(), Not(HasSubstr("secr")));
  }
}

}  // namespace
}  // namespace litertlm
