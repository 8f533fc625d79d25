// The Hugging Face hub's protocol: revisions, listings, where a file lies, search.
#ifndef LITERTLM_HUB_HUB_CLIENT_H_
#define LITERTLM_HUB_HUB_CLIENT_H_

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "hub/credentials.h"
#include "hub/http.h"
#include "hub/hub_error.h"
#include "hub/repository.h"
#include "hub/retry.h"

namespace litertlm {

struct HubOptions {
  std::string endpoint = "https://huggingface.co";  ///< Without a slash at the end.
  bool offline = false;                             ///< Every request fails with kUnavailable.
  Token token = {};
  std::chrono::seconds stall_timeout{20};
  RetryPolicy retry = {};
  /// The network worked a moment ago, so that a connection that fails is tried again. Where it is
  /// not known to work, the user is told at once.
  bool reached = false;
  /// Ends requests and waits with kInterrupted. May be empty.
  std::function<bool()> cancelled = {};
};

/// HF_ENDPOINT, HF_HUB_OFFLINE, HF_HUB_DOWNLOAD_TIMEOUT (seconds) and LITERTLM_HUB_RETRIES, with
/// the token that FindToken gives. Throws kUsage naming a variable that makes no sense.
HubOptions HubOptionsFromEnvironment(const std::optional<std::string>& token_flag);

/// How long the server asks to wait, in Retry-After or in the "t=" of RateLimit.
std::optional<std::chrono::seconds> AskedPause(const HttpResponse& response);

/// Where a file can be fetched from.
struct FileLocation {
  std::string url;          ///< Often on another host, and valid for a while only.
  ContentId content;        ///< As far as the hub states it here.
  std::string commit = {};  ///< May be empty.
};

struct SearchResult {
  std::string name;
  std::vector<std::string> files;  ///< The `.litertlm` ones.
  uint64_t downloads = 0;
  std::string updated;  ///< "2026-05-18", or empty.
  bool gated = false;   ///< A licence must be accepted first.
};

/// One thread at a time. Every function throws kUnavailable (network, server, rate limit), kDenied
/// (401, 403), kNotFound (with the nearest name), kInterrupted.
class HubClient {
 public:
  explicit HubClient(HubOptions options);

  /// `revision` is a branch, a tag or a commit.
  Repository Open(const std::string& name, const std::string& revision);
  FileLocation Locate(const Repository& repository, const std::string& path);
  /// Repositories with `.litertlm` files whose name has `word`, the most popular first.
  std::vector<SearchResult> Search(const std::string& word);

  /// One request for a file's bytes, not repeated; any status is a result. Throws TransferError
  /// too.
  HttpResponse Fetch(const std::string& url, std::optional<ByteRange> range,
                     const BodyReceiver& receiver);

  const HubOptions& options() const { return options_; }
  /// Throws what the status of `response` means; returns if that is a success.
  void Check(const HttpResponse& response, HubSubject subject);

 private:
  HttpResponse Request(const HttpRequest& request, const HubSubject& subject);
  void List(Repository& repository);
  std::string NearestName(const std::string& name);
  std::string NearestRevision(const HubSubject& subject);

  HubOptions options_;
  HttpClient http_;
};

}  // namespace litertlm

#endif  // LITERTLM_HUB_HUB_CLIENT_H_
