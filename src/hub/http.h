// HTTP requests, through libcurl.
//
// Redirects are followed here and not by libcurl, so that three rules hold in one place: the token
// goes to one origin only, an https address never leads to an http one, and a request may ask to be
// told where another host has the file instead of going there.
#ifndef LITERTLM_HUB_HTTP_H_
#define LITERTLM_HUB_HTTP_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "litertlm/error.h"

namespace litertlm {

struct ByteRange {
  uint64_t begin = 0;
  uint64_t end = 0;  ///< Not included.
};

struct HttpRequest {
  std::string url;
  bool head = false;
  std::optional<ByteRange> range = std::nullopt;
  /// Return a redirect to another origin instead of following it.
  bool stay_at_origin = false;
};

struct HttpResponse {
  int status = 0;
  std::string url;  ///< Of the last hop.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  ///< What no receiver took; the beginning of it where it is very long.

  /// Value of the header `name` (in any case), or empty.
  std::string_view Header(std::string_view name) const;
  /// Where a redirect that was not followed leads to, whole.
  std::string redirect;
};

/// The connection failed before an answer was complete: trying again may help.
class TransferError : public Error {
 public:
  using Error::Error;
};

/// There was no connection at all: the address is not known, or nobody answers there.
class NoConnectionError : public TransferError {
 public:
  using TransferError::TransferError;
};

/// Told of the body of a 200 or 206 as it comes. Returns false when it wants no more. Before the
/// first bytes `response` has status and headers.
using BodyReceiver = std::function<bool(const HttpResponse& response, Bytes bytes)>;

struct HttpOptions {
  std::string token = {};         ///< Sent as a bearer token, but only to `token_origin`.
  std::string token_origin = {};  ///< An address of that origin.
  std::chrono::seconds connect_timeout{10};
  /// A transfer that brings nothing for so long is given up.
  std::chrono::seconds stall_timeout{20};
  /// Asked often during a request; true ends it with kInterrupted. May be empty.
  std::function<bool()> cancelled = {};
};

/// Keeps connections open between requests. One thread at a time.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options) : options_(std::move(options)) {}
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  /// Any status is a result. Throws TransferError, kUnavailable (no libcurl, certificate, proxy,
  /// redirects that lead nowhere), kInterrupted, or what `receiver` throws.
  HttpResponse Perform(const HttpRequest& request, const BodyReceiver& receiver = {});

 private:
  class Transfer;
  HttpResponse PerformHop(const HttpRequest& request, const std::string& url, bool with_token,
                          const BodyReceiver& receiver);

  HttpOptions options_;
  void* handle_ = nullptr;  ///< libcurl's; opened for the first request.
};

/// Scheme, host and port are the same.
bool SameOrigin(const std::string& a, const std::string& b);
/// The host of a URL, for messages: never a user name, a password or a query.
std::string HostOf(const std::string& url);
/// `url` without the user name and the password that it may hold: for messages.
std::string WithoutUser(std::string url);
/// `text` with everything but letters, digits and "-._~" percent-encoded, and "/" if `keep_slash`
/// is false.
std::string EscapeUrl(std::string_view text, bool keep_slash);
/// The address with rel="next" of a Link header (RFC 8288), or empty.
std::string NextLink(std::string_view link_header);

}  // namespace litertlm

#endif  // LITERTLM_HUB_HTTP_H_
