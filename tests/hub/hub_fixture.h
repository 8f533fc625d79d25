// What the tests of this room share: a folder, a server, and an environment without the user's own.
#ifndef LITERTLM_TESTS_HUB_HUB_FIXTURE_H_
#define LITERTLM_TESTS_HUB_HUB_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>

#include "base/file.h"
#include "hub/hub_client.h"
#include "litertlm/error.h"
#include "tests/error_of.h"
#include "tests/hub/hub_server.h"
#include "tests/scratch_path.h"

namespace litertlm {

/// The same bytes each time, without any pattern that a misplaced part could fit into.
inline std::string RandomBytes(size_t size, uint32_t seed) {
  std::mt19937 generator(seed);
  std::string bytes(size, '\0');
  for (size_t i = 0; i + 4 <= size; i += 4) {
    const uint32_t word = generator();
    std::copy_n(reinterpret_cast<const char*>(&word), 4, bytes.begin() + static_cast<ptrdiff_t>(i));
  }
  return bytes;
}

inline void WriteFile(const std::filesystem::path& path, const std::string& content) {
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

class HubTest : public testing::Test {
 protected:
  HubTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    for (const char* name :
         {"HF_TOKEN", "HF_TOKEN_PATH", "HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_HUB_CACHE",
          "XDG_CACHE_HOME", "HF_HUB_DOWNLOAD_TIMEOUT", "SSL_CERT_FILE", "SSL_CERT_DIR",
          "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "http_proxy", "https_proxy", "HTTPS_PROXY",
          "all_proxy", "ALL_PROXY"}) {
      ::unsetenv(name);
    }
    ::setenv("HF_HOME", (folder_ / "hf").c_str(), 1);
    ::setenv("no_proxy", "127.0.0.1,localhost", 1);
  }
  ~HubTest() override { std::filesystem::remove_all(folder_); }

  /// With short pauses, so that the tests are quick.
  HubOptions Options() const {
    return {.endpoint = server_.endpoint(),
            .retry = {.retries = 4, .first_pause = std::chrono::milliseconds(10)}};
  }
  /// Waits until so many bytes of files have been served in all.
  void AwaitServed(uint64_t bytes) const {
    while (server_.bytes_served() < bytes) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  const std::filesystem::path folder_ = ScratchPath("hub");
  HubServer server_;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_HUB_HUB_FIXTURE_H_
