#include "hub/hub_error.h"

#include <fmt/format.h>

#include "base/utf8.h"
#include "hub/hub_client.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr char kTokenHint[] =
    "create a token (type Read) at https://huggingface.co/settings/tokens and set it: "
    "export HF_TOKEN=hf_... (or --hf-token hf_...)";

// The server's own words, made harmless: one line, no control characters, not too long.
std::string ServerMessage(const HttpResponse& response) {
  std::string text = ReplaceInvalidUtf8(response.Header("X-Error-Message").substr(0, 300));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  while (text.ends_with(' ') || text.ends_with('.')) text.pop_back();
  return text;
}

std::string Page(const HubSubject& subject, const HubOptions& options) {
  return WithoutUser(options.endpoint) + "/" + subject.name;
}

[[noreturn]] void ThrowGated(const HttpResponse& response, const HubSubject& subject,
                             const HubOptions& options) {
  const std::string agree =
      fmt::format("Open {}, choose \"Agree and access repository\"", Page(subject, options));
  if (options.token.value.empty()) {
    throw Error(ErrorCode::kDenied,
                fmt::format("Unauthorized ({}): {} is gated, and no access token was found.",
                            response.status, subject.name),
                fmt::format("{}; then {}.", agree, kTokenHint));
  }
  throw Error(ErrorCode::kDenied,
              fmt::format("Forbidden ({}): {} is gated, and the account of the access token from "
                          "{} has not been given access.",
                          response.status, subject.name, options.token.source),
              agree + " and try again.");
}

[[noreturn]] void ThrowRateLimited(const HttpResponse& response, const HubOptions& options) {
  const auto pause = AskedPause(response);
  throw Error(ErrorCode::kUnavailable,
              fmt::format("Rate limited (429): {} wants fewer requests.", HostOf(response.url)),
              fmt::format("Try again {}.{}",
                          pause ? fmt::format("in {} seconds", pause->count()) : "in some minutes",
                          options.token.value.empty()
                              ? " Requests with an access token (HF_TOKEN) have a higher limit."
                              : ""));
}

}  // namespace

HubFailure ClassifyFailure(const HttpResponse& response, bool had_token) {
  const std::string_view code = response.Header("X-Error-Code");
  if (response.status == 429) return HubFailure::kRateLimited;
  if (response.status >= 500) return HubFailure::kServer;
  if (code == "GatedRepo") return HubFailure::kGated;
  if (response.status == 401 && had_token) return HubFailure::kBadToken;
  if (code == "RepoNotFound") return HubFailure::kNoRepository;
  if (code == "RevisionNotFound") return HubFailure::kNoRevision;
  if (code == "EntryNotFound") return HubFailure::kNoFile;
  if (response.status == 401) return HubFailure::kNoToken;
  if (response.status == 403) return HubFailure::kForbidden;
  if (response.status == 404) return HubFailure::kNoRepository;
  return HubFailure::kOther;
}

void ThrowHubError(HubFailure failure, const HttpResponse& response, const HubSubject& subject,
                   const HubOptions& options) {
  const int status = response.status;
  switch (failure) {
    case HubFailure::kGated:
      ThrowGated(response, subject, options);
    case HubFailure::kRateLimited:
      ThrowRateLimited(response, options);
    case HubFailure::kNoToken:
      throw Error(
          ErrorCode::kDenied,
          fmt::format("Unauthorized ({}): {} does not exist, or is private or gated and "
                      "needs an access token.",
                      status, subject.name),
          fmt::format("{}To use a private or gated model, {}.", subject.nearest, kTokenHint));
    case HubFailure::kBadToken:
      throw Error(ErrorCode::kDenied,
                  fmt::format("Unauthorized ({}): {} does not accept the access token from {}.",
                              status, HostOf(response.url), options.token.source),
                  fmt::format("It may have expired: {}.", kTokenHint));
    case HubFailure::kForbidden: {
      const std::string message = ServerMessage(response);
      throw Error(ErrorCode::kDenied,
                  fmt::format("Forbidden ({}): {} may not be read{}.", status, subject.name,
                              message.empty() ? message : ": " + message),
                  fmt::format("See {}. A fine-grained access token needs the permission to read "
                              "this repository.",
                              Page(subject, options)));
    }
    case HubFailure::kNoRepository:
      throw Error(ErrorCode::kNotFound,
                  fmt::format("There is no {}repository {} on {} ({}).",
                              options.token.value.empty() ? "public " : "", subject.name,
                              HostOf(options.endpoint), status),
                  options.token.value.empty()
                      ? fmt::format("{}If it is private or gated, {}.", subject.nearest, kTokenHint)
                      : fmt::format("{}If it is private, the account of the access token from {} "
                                    "cannot see it.",
                                    subject.nearest, options.token.source));
    case HubFailure::kNoRevision:
      throw Error(ErrorCode::kNotFound,
                  fmt::format("The repository {} has no revision {} ({}).", subject.name,
                              subject.revision, status),
                  fmt::format("{}A revision is a branch, a tag or a commit.", subject.nearest));
    case HubFailure::kNoFile:
      throw Error(ErrorCode::kNotFound,
                  fmt::format("The repository {} has no file {} at {} ({}).", subject.name,
                              subject.path, subject.revision, status),
                  fmt::format("Its files: {}/tree/{}", Page(subject, options), subject.revision));
    case HubFailure::kServer:
      throw Error(ErrorCode::kUnavailable,
                  fmt::format("{} has a problem of its own ({}).", HostOf(response.url), status),
                  "Try again later: https://status.huggingface.co tells how it is.");
    case HubFailure::kOther:
      break;
  }
  throw Error(ErrorCode::kUnavailable,
              fmt::format("{} answers with status {}.", HostOf(response.url), status),
              "Check HF_ENDPOINT and the proxy.");
}

void ThrowOffline(const HubSubject& subject) {
  throw Error(ErrorCode::kUnavailable,
              fmt::format("Offline mode is on (HF_HUB_OFFLINE), and {} is not here.", subject.name),
              "Unset HF_HUB_OFFLINE to download it.");
}

}  // namespace litertlm
