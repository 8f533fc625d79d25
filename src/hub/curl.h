// libcurl, opened when the first request is made; its addresses, certificates and errors.
#ifndef LITERTLM_HUB_CURL_H_
#define LITERTLM_HUB_CURL_H_

#include <curl/curl.h>

#include <string>

#include "hub/dynamic_library.h"
#include "hub/http.h"

namespace litertlm {

struct CurlLibrary {
  CurlLibrary();

  DynamicLibrary library{"libcurl.so.4", "libcurl4"};
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_easy_reset) easy_reset;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_perform) easy_perform;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;
  decltype(&curl_url) url;
  decltype(&curl_url_cleanup) url_cleanup;
  decltype(&curl_url_set) url_set;
  decltype(&curl_url_get) url_get;
  decltype(&curl_free) free;
};

/// What to do where the network fails.
inline constexpr char kNetworkHint[] =
    "Check the network connection. Behind a proxy set https_proxy; for a mirror set HF_ENDPOINT. "
    "Models that are here already run without a network.";

/// Throws kUnavailable if libcurl is not installed.
const CurlLibrary& Curl();

/// Lines of a request's header.
class CurlList {
 public:
  CurlList() = default;
  CurlList(const CurlList&) = delete;
  CurlList& operator=(const CurlList&) = delete;
  ~CurlList() { Curl().slist_free_all(list_); }
  void Append(const std::string& line) { list_ = Curl().slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

/// A part of `url`, with the port that its scheme implies; empty if it is no address.
std::string UrlPart(const std::string& url, CURLUPart part);
/// `reference` as seen from `base`; empty if it is no address.
std::string ResolveUrl(const std::string& base, const std::string& reference);

/// The certificate authorities that the environment names, in place of the system's.
void SetCertificates(CURL* handle);

/// Says what `code` means for the user: TransferError where trying again may help. `reason` are
/// libcurl's own words, or empty.
[[noreturn]] void ThrowCurlError(CURL* handle, CURLcode code, const std::string& url,
                                 const char* reason);

}  // namespace litertlm

#endif  // LITERTLM_HUB_CURL_H_
