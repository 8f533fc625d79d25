#include "hub/curl.h"

#include <fmt/format.h>

#include <cstdlib>

namespace litertlm {
namespace {

// The first of these variables that is set.
const char* FromEnvironment(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return nullptr;
}

class Url {
 public:
  explicit Url(const std::string& text) : url_(Curl().url()) { valid_ = Set(text); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;
  ~Url() { Curl().url_cleanup(url_); }

  bool Set(const std::string& text) {
    return Curl().url_set(url_, CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
  }
  std::string Get(CURLUPart part) const {
    char* text = nullptr;
    if (!valid_ || Curl().url_get(url_, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
    std::string result = text;
    Curl().free(text);
    return result;
  }

 private:
  CURLU* url_;
  bool valid_ = false;
};

}  // namespace

CurlLibrary::CurlLibrary() {
  decltype(&curl_global_init) global_init;
  library.Load("curl_global_init", global_init);
  library.Load("curl_easy_init", easy_init);
  library.Load("curl_easy_cleanup", easy_cleanup);
  library.Load("curl_easy_reset", easy_reset);
  library.Load("curl_easy_setopt", easy_setopt);
  library.Load("curl_easy_getinfo", easy_getinfo);
  library.Load("curl_easy_perform", easy_perform);
  library.Load("curl_easy_strerror", easy_strerror);
  library.Load("curl_slist_append", slist_append);
  library.Load("curl_slist_free_all", slist_free_all);
  library.Load("curl_url", url);
  library.Load("curl_url_cleanup", url_cleanup);
  library.Load("curl_url_set", url_set);
  library.Load("curl_url_get", url_get);
  library.Load("curl_free", free);
  global_init(CURL_GLOBAL_DEFAULT);
}

const CurlLibrary& Curl() {
  static const CurlLibrary curl;
  return curl;
}

std::string UrlPart(const std::string& url, CURLUPart part) { return Url(url).Get(part); }

std::string ResolveUrl(const std::string& base, const std::string& reference) {
  Url url(base);
  return url.Set(reference) ? url.Get(CURLUPART_URL) : std::string();
}

void SetCertificates(CURL* handle) {
  // libcurl itself reads none of these; its own tool, OpenSSL and Python's clients do.
  if (const char* file =
          FromEnvironment({"CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"})) {
    Curl().easy_setopt(handle, CURLOPT_CAINFO, file);
  }
  if (const char* folder = FromEnvironment({"SSL_CERT_DIR"})) {
    Curl().easy_setopt(handle, CURLOPT_CAPATH, folder);
  }
}

void ThrowCurlError(CURL* handle, CURLcode code, const std::string& url, const char* reason) {
  const std::string host = HostOf(url);
  const std::string why = *reason != '\0' ? reason : Curl().easy_strerror(code);
  long connect_status = 0;
  Curl().easy_getinfo(handle, CURLINFO_HTTP_CONNECTCODE, &connect_status);
  const bool proxy_refused = connect_status >= 400 || code == CURLE_PROXY;
  // Without a proxy the library names the host that it could not reach.
  const bool proxy_unreachable = code == CURLE_COULDNT_CONNECT && why.find(host) == why.npos;
  if (proxy_refused || proxy_unreachable || code == CURLE_COULDNT_RESOLVE_PROXY) {
    throw Error(ErrorCode::kUnavailable,
                fmt::format("Cannot reach {} through the proxy: {}.", host, why),
                "Check https_proxy, http_proxy and all_proxy; no_proxy lists the hosts that are "
                "reached without one.");
  }
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      throw NoConnectionError(ErrorCode::kUnavailable,
                              fmt::format("No network: the address of {} cannot be found.", host),
                              kNetworkHint);
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:  // The only limit that libcurl is given is that of connecting.
      throw NoConnectionError(ErrorCode::kUnavailable,
                              fmt::format("No network: cannot connect to {} ({}).", host, why),
                              kNetworkHint);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      throw Error(ErrorCode::kUnavailable,
                  fmt::format("The certificate of {} is not trusted: {}.", host, why),
                  "Check the date of this machine and the package ca-certificates. Behind a "
                  "company's proxy set SSL_CERT_FILE to the file with its certificate.");
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_HTTP3:
    case CURLE_SSL_CONNECT_ERROR:
      throw TransferError(ErrorCode::kUnavailable,
                          fmt::format("The connection to {} was cut: {}.", host, why),
                          kNetworkHint);
    default:
      throw Error(ErrorCode::kUnavailable, fmt::format("Cannot reach {}: {}.", host, why),
                  kNetworkHint);
  }
}

}  // namespace litertlm
