#include "hub/http.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <cctype>
#include <exception>

#include "hub/curl.h"

namespace litertlm {
namespace {

constexpr int kMaxRedirects = 10;
constexpr size_t kMaxBody = size_t{64} << 20;
constexpr size_t kMaxHeaders = size_t{256} << 10;

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

// Throws if following a redirect from `from` to `to` would leave http(s) or drop encryption.
void CheckRedirect(const std::string& from, const std::string& to) {
  const std::string before = UrlPart(from, CURLUPART_SCHEME);
  const std::string after = UrlPart(to, CURLUPART_SCHEME);
  if (after == "https" || (after == "http" && before == "http")) return;
  throw Error(ErrorCode::kUnavailable,
              fmt::format("{} redirects from {} to an address that begins with \"{}:\".",
                          HostOf(from), before, after.empty() ? "?" : after),
              "Check HF_ENDPOINT and the proxy: something on the way rewrites addresses.");
}

}  // namespace

std::string_view HttpResponse::Header(std::string_view name) const {
  for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
    if (header->first.size() == name.size() &&
        ::strncasecmp(header->first.data(), name.data(), name.size()) == 0) {
      return header->second;
    }
  }
  return {};
}

// One hop: what libcurl's callbacks need. Exceptions must not pass through its C frames.
class HttpClient::Transfer {
 public:
  Transfer(const HttpOptions& options, const BodyReceiver& receiver)
      : options_(options), receiver_(receiver) {}

  static size_t OnHeader(char* data, size_t, size_t size, void* self) {
    return static_cast<Transfer*>(self)->Header(std::string_view(data, size)) ? size : 0;
  }
  static size_t OnBody(char* data, size_t, size_t size, void* self) {
    return static_cast<Transfer*>(self)->Body(std::string_view(data, size)) ? size : 0;
  }
  // libcurl calls it at least once a second.
  static int OnProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.cancelled_ = transfer.options_.cancelled && transfer.options_.cancelled();
    transfer.stalled_ = Clock::now() - transfer.heard_ > transfer.options_.stall_timeout;
    return transfer.cancelled_ || transfer.stalled_ ? 1 : 0;
  }

  HttpResponse& response() { return response_; }
  bool cancelled() const { return cancelled_; }
  bool stalled() const { return stalled_; }
  bool had_enough() const { return had_enough_; }
  void Rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  bool Header(std::string_view line) {
    heard_ = Clock::now();
    // Each answer begins anew: "100 Continue", a proxy's, then the server's.
    if (line.starts_with("HTTP/")) {
      response_.headers.clear();
      header_bytes_ = 0;
      const size_t space = line.find(' ');
      response_.status = 0;
      for (size_t i = space;
           i != std::string_view::npos && i + 1 < line.size() &&
           std::isdigit(static_cast<unsigned char>(line[i + 1])) != 0 && i < space + 3;
           ++i) {
        response_.status = response_.status * 10 + (line[i + 1] - '0');
      }
      return true;
    }
    header_bytes_ += line.size();
    const size_t colon = line.find(':');
    if (header_bytes_ > kMaxHeaders) return false;
    if (colon != std::string_view::npos) {
      response_.headers.emplace_back(Trim(line.substr(0, colon)), Trim(line.substr(colon + 1)));
    }
    return true;
  }

  bool Body(std::string_view bytes) {
    heard_ = Clock::now();
    if (receiver_ && (response_.status == 200 || response_.status == 206)) {
      try {
        had_enough_ = !receiver_(response_, AsBytes(bytes));
      } catch (...) {
        error_ = std::current_exception();
      }
      return !had_enough_ && !error_;
    }
    had_enough_ = response_.body.size() + bytes.size() > kMaxBody;
    if (!had_enough_) response_.body += bytes;
    return !had_enough_;
  }

  const HttpOptions& options_;
  const BodyReceiver& receiver_;
  HttpResponse response_;
  size_t header_bytes_ = 0;
  // libcurl's own low-speed limit averages over five seconds more than it is told.
  Clock::time_point heard_ = Clock::now();
  bool stalled_ = false;
  bool cancelled_ = false;
  bool had_enough_ = false;
  std::exception_ptr error_;
};

HttpClient::~HttpClient() {
  if (handle_ != nullptr) Curl().easy_cleanup(handle_);
}

HttpResponse HttpClient::Perform(const HttpRequest& request, const BodyReceiver& receiver) {
  std::string url = request.url;
  // A hop that has left the token's origin gets no token, and neither do those after it.
  bool with_token = !options_.token.empty();
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    with_token = with_token && SameOrigin(url, options_.token_origin);
    HttpResponse response = PerformHop(request, url, with_token, receiver);
    response.url = url;
    const std::string location(response.Header("Location"));
    if (!IsRedirect(response.status) || location.empty()) return response;
    const std::string target = ResolveUrl(url, location);
    CheckRedirect(url, target);
    if (request.stay_at_origin && !SameOrigin(request.url, target)) {
      response.redirect = target;
      return response;
    }
    url = target;
  }
  throw Error(ErrorCode::kUnavailable,
              fmt::format("{} redirects in a circle.", HostOf(request.url)),
              "Check HF_ENDPOINT; if it is right, try again later.");
}

HttpResponse HttpClient::PerformHop(const HttpRequest& request, const std::string& url,
                                    bool with_token, const BodyReceiver& receiver) {
  const CurlLibrary& curl = Curl();
  if (handle_ == nullptr) handle_ = curl.easy_init();
  if (handle_ == nullptr) throw Error(ErrorCode::kInternal, "libcurl gives no handle.");
  auto* handle = static_cast<CURL*>(handle_);
  curl.easy_reset(handle);  // Options only: connections stay open.
  Transfer transfer(options_, receiver);
  CurlList headers;
  if (with_token) headers.Append("Authorization: Bearer " + options_.token);
  char reason[CURL_ERROR_SIZE] = "";
  curl.easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl.easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl.easy_setopt(handle, CURLOPT_USERAGENT, "litert-lm-cli/" LITERTLM_VERSION);
  curl.easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl.easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl.easy_setopt(handle, CURLOPT_ERRORBUFFER, reason);
  curl.easy_setopt(handle, CURLOPT_CONNECTTIMEOUT,
                   static_cast<long>(options_.connect_timeout.count()));
  curl.easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl.easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &Transfer::OnProgress);
  curl.easy_setopt(handle, CURLOPT_XFERINFODATA, &transfer);
  curl.easy_setopt(handle, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl.easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
  curl.easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl.easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
  SetCertificates(handle);
  if (request.head) curl.easy_setopt(handle, CURLOPT_NOBODY, 1L);
  std::string range;
  if (request.range) {
    range = fmt::format("{}-{}", request.range->begin, request.range->end - 1);
    curl.easy_setopt(handle, CURLOPT_RANGE, range.c_str());
  }
  const CURLcode code = curl.easy_perform(handle);
  transfer.Rethrow();
  if (transfer.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted.");
  if (transfer.stalled()) {
    throw TransferError(ErrorCode::kUnavailable,
                        fmt::format("{} stopped answering: nothing came for {} seconds.",
                                    HostOf(url), options_.stall_timeout.count()),
                        kNetworkHint);
  }
  if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && transfer.had_enough())) {
    ThrowCurlError(handle, code, url, reason);
  }
  return std::move(transfer.response());
}

bool SameOrigin(const std::string& a, const std::string& b) {
  return UrlPart(a, CURLUPART_SCHEME) == UrlPart(b, CURLUPART_SCHEME) && HostOf(a) == HostOf(b) &&
         UrlPart(a, CURLUPART_PORT) == UrlPart(b, CURLUPART_PORT);
}

std::string HostOf(const std::string& url) { return UrlPart(url, CURLUPART_HOST); }

std::string WithoutUser(std::string url) {
  const size_t scheme = url.find("://");
  const size_t begin = scheme == url.npos ? 0 : scheme + 3;
  const size_t at = url.substr(0, url.find('/', begin)).rfind('@');
  if (at != url.npos) url.erase(begin, at + 1 - begin);
  return url;
}

std::string EscapeUrl(std::string_view text, bool keep_slash) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte < 0x80 && std::isalnum(byte) != 0) ||
                       std::string_view("-._~").find(c) != std::string_view::npos ||
                       (c == '/' && keep_slash);
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return result;
}

std::string NextLink(std::string_view link_header) {
  for (size_t at = link_header.find('<'); at != std::string_view::npos;
       at = link_header.find('<', at + 1)) {
    const size_t end = link_header.find('>', at);
    if (end == std::string_view::npos) break;
    const std::string_view parameters = link_header.substr(end, link_header.find('<', end) - end);
    if (parameters.find("rel=\"next\"") != std::string_view::npos) {
      return std::string(link_header.substr(at + 1, end - at - 1));
    }
  }
  return {};
}

}  // namespace litertlm
