#include "hub/hub_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/suggest.h"
#include "hub/curl.h"
#include "hub/environment.h"
#include "hub/hub_error.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr int kMaxPages = 100;

HttpOptions HttpOptionsFor(const HubOptions& options) {
  return {.token = options.token.value,
          .token_origin = options.endpoint,
          .stall_timeout = options.stall_timeout,
          .cancelled = options.cancelled};
}

int NumberFromEnvironment(const char* name, int otherwise, int least) {
  const std::string text = EnvironmentVariable(name);
  if (text.empty()) return otherwise;
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{}=\"{}\" is not a whole number of at least {}.", name, text, least));
  }
  return number;
}

// An answer that should be JSON; what else a captive portal or a wrong HF_ENDPOINT gives is HTML.
Json ParseAnswer(const HttpResponse& response) {
  try {
    return ParseJson(response.body, HostOf(response.url));
  } catch (const Error&) {
    throw Error(
        ErrorCode::kUnavailable,
        fmt::format("{} does not answer as the Hugging Face hub does.", HostOf(response.url)),
        "Check HF_ENDPOINT, and whether this network asks to log in on a web page first.");
  }
}

std::string StringAt(const Json& json, const char* key) {
  const auto value = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && value != json.end() && value->is_string() ? value->get<std::string>()
                                                                       : std::string();
}

uint64_t NumberAt(const Json& json, const char* key) {
  const auto value = json.is_object() ? json.find(key) : json.end();
  const bool number = json.is_object() && value != json.end() && value->is_number_unsigned();
  return number ? value->get<uint64_t>() : 0;
}

// The checksum in an ETag: quotes and a weakness mark taken off.
std::string EtagValue(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return std::string(etag);
}

// An entry of a listing; a path that is not safe is nothing that a model needs.
std::optional<RemoteFile> ParseEntry(const Json& entry) {
  if (StringAt(entry, "type") != "file") return std::nullopt;
  RemoteFile file{.path = StringAt(entry, "path"),
                  .content = {.size = NumberAt(entry, "size"), .sha256 = {}, .git_oid = {}}};
  if (!IsSafePath(file.path)) return std::nullopt;
  const auto lfs = entry.find("lfs");
  if (lfs != entry.end() && lfs->is_object()) {
    // The entry's own oid is that of the pointer file.
    if (const std::string sha = StringAt(*lfs, "oid"); IsHex(sha, 64)) file.content.sha256 = sha;
  } else if (const std::string oid = StringAt(entry, "oid"); IsHex(oid, 40)) {
    file.content.git_oid = oid;
  }
  return file;
}

}  // namespace

HubOptions HubOptionsFromEnvironment(const std::optional<std::string>& token_flag) {
  HubOptions options;
  if (const std::string endpoint = EnvironmentVariable("HF_ENDPOINT"); !endpoint.empty()) {
    if (!endpoint.starts_with("https://") && !endpoint.starts_with("http://")) {
      throw Error(ErrorCode::kUsage, "HF_ENDPOINT does not begin with https:// or http://.",
                  "For example: HF_ENDPOINT=https://huggingface.co");
    }
    options.endpoint = endpoint.substr(0, endpoint.find_last_not_of('/') + 1);
  }
  options.offline = EnvironmentSwitch("HF_HUB_OFFLINE");
  options.token = FindToken(token_flag);
  options.stall_timeout = std::chrono::seconds(NumberFromEnvironment(
      "HF_HUB_DOWNLOAD_TIMEOUT", static_cast<int>(options.stall_timeout.count()), 1));
  options.retry.retries = NumberFromEnvironment("LITERTLM_HUB_RETRIES", options.retry.retries, 0);
  return options;
}

std::optional<std::chrono::seconds> AskedPause(const HttpResponse& response) {
  if (const auto pause = ParsePause(response.Header("Retry-After"))) return pause;
  const std::string_view limit = response.Header("RateLimit");
  const size_t reset = limit.find(";t=");
  return reset == limit.npos ? std::nullopt : ParsePause(limit.substr(reset + 3));
}

HubClient::HubClient(HubOptions options)
    : options_(std::move(options)), http_(HttpOptionsFor(options_)) {}

HttpResponse HubClient::Request(const HttpRequest& request, const HubSubject& subject) {
  if (options_.offline) ThrowOffline(subject);
  Backoff backoff(options_.retry, options_.cancelled);
  for (;;) {
    try {
      HttpResponse response = http_.Perform(request);
      options_.reached = true;
      if (!IsTransientStatus(response.status)) return response;
      if (!backoff.Wait(AskedPause(response))) return response;
    } catch (const NoConnectionError&) {
      if (!options_.reached || !backoff.Wait()) throw;
    } catch (const TransferError&) {
      if (!backoff.Wait()) throw;
    }
  }
}

void HubClient::Check(const HttpResponse& response, HubSubject subject) {
  if (response.status >= 200 && response.status < 300) return;
  const HubFailure failure = ClassifyFailure(response, !options_.token.value.empty());
  if (failure == HubFailure::kNoRepository || failure == HubFailure::kNoToken) {
    subject.nearest = NearestName(subject.name);
  } else if (failure == HubFailure::kNoRevision) {
    subject.nearest = NearestRevision(subject);
  }
  ThrowHubError(failure, response, subject, options_);
}

Repository HubClient::Open(const std::string& name, const std::string& revision) {
  if (!IsRepositoryName(name)) {
    throw Error(ErrorCode::kUsage, fmt::format("\"{}\" is not the name of a repository.", name),
                "A name is ORG/NAME, for example Qwen/Qwen3-0.6B.");
  }
  const HubSubject subject{.name = name, .revision = revision};
  const HttpResponse response =
      Request({.url = fmt::format("{}/api/models/{}/revision/{}", options_.endpoint, name,
                                  EscapeUrl(revision, /*keep_slash=*/false))},
              subject);
  Check(response, subject);
  const Json info = ParseAnswer(response);
  Repository repository{.name = name, .commit = StringAt(info, "sha"), .files = {}};
  if (!IsHex(repository.commit, 40)) {
    throw Error(ErrorCode::kUnavailable,
                fmt::format("{} names no commit for {}.", HostOf(response.url), name),
                "Check HF_ENDPOINT.");
  }
  List(repository);
  return repository;
}

void HubClient::List(Repository& repository) {
  const HubSubject subject{.name = repository.name, .revision = repository.commit};
  const std::string base = fmt::format("{}/api/models/{}/tree/{}", options_.endpoint,
                                       repository.name, repository.commit);
  std::string query = "recursive=true";
  for (int page = 0; page < kMaxPages && !query.empty(); ++page) {
    const HttpResponse response = Request({.url = base + "?" + query}, subject);
    Check(response, subject);
    const Json entries = ParseAnswer(response);
    if (!entries.is_array()) {
      throw Error(ErrorCode::kUnavailable,
                  fmt::format("{} gives no listing of {}.", HostOf(response.url), repository.name),
                  "Check HF_ENDPOINT.");
    }
    for (const Json& entry : entries) {
      if (auto file = ParseEntry(entry)) repository.files.push_back(*std::move(file));
    }
    // Of the next page's address only the cursor: a mirror may name the hub it mirrors.
    const std::string next = NextLink(response.Header("Link"));
    query = next.empty() ? next : UrlPart(next, CURLUPART_QUERY);
  }
}

FileLocation HubClient::Locate(const Repository& repository, const std::string& path) {
  const HubSubject subject{.name = repository.name, .revision = repository.commit, .path = path};
  const HttpResponse response =
      Request({.url = fmt::format("{}/{}/resolve/{}/{}", options_.endpoint, repository.name,
                                  repository.commit, EscapeUrl(path, /*keep_slash=*/true)),
               .head = true,
               .stay_at_origin = true},
              subject);
  if (response.redirect.empty()) Check(response, subject);
  FileLocation location{.url = response.redirect.empty() ? response.url : response.redirect,
                        .content = {},
                        .commit = std::string(response.Header("X-Repo-Commit"))};
  std::string etag = EtagValue(response.Header("X-Linked-Etag"));
  if (etag.empty()) etag = EtagValue(response.Header("ETag"));
  if (IsHex(etag, 64)) location.content.sha256 = etag;
  if (IsHex(etag, 40)) location.content.git_oid = etag;
  std::string_view size = response.Header("X-Linked-Size");
  if (size.empty() && response.redirect.empty()) size = response.Header("Content-Length");
  std::from_chars(size.data(), size.data() + size.size(), location.content.size);
  return location;
}

HttpResponse HubClient::Fetch(const std::string& url, std::optional<ByteRange> range,
                              const BodyReceiver& receiver) {
  return http_.Perform({.url = url, .range = range}, receiver);
}

std::vector<SearchResult> HubClient::Search(const std::string& word) {
  if (options_.offline) {
    throw Error(ErrorCode::kUnavailable,
                "Offline mode is on (HF_HUB_OFFLINE): the hub cannot be searched.",
                "Unset HF_HUB_OFFLINE to search. `litert-lm-cli list` shows what is here.");
  }
  std::vector<SearchResult> results;
  // Not every repository with such files carries the tag; Google's own community mostly does.
  for (const char* where : {"filter=litert-lm", "author=litert-community"}) {
    const HttpResponse response = Request(
        {.url = fmt::format("{}/api/models?search={}&{}&full=true&sort=downloads&"
                            "direction=-1&limit=100",
                            options_.endpoint, EscapeUrl(word, /*keep_slash=*/false), where)},
        {.name = word});
    Check(response, {.name = word});
    for (const Json& model : ParseAnswer(response)) {
      SearchResult result{.name = StringAt(model, "id"),
                          .files = {},
                          .downloads = NumberAt(model, "downloads"),
                          .updated = StringAt(model, "lastModified").substr(0, 10)};
      const auto gated = model.is_object() ? model.find("gated") : model.end();
      result.gated = model.is_object() && gated != model.end() && gated->is_string();
      if (model.is_object() && model.contains("siblings")) {
        for (const Json& sibling : model["siblings"]) {
          const std::string file = StringAt(sibling, "rfilename");
          if (IsSafePath(file) && file.ends_with(kModelExtension)) result.files.push_back(file);
        }
      }
      const bool known = std::any_of(results.begin(), results.end(),
                                     [&](const SearchResult& r) { return r.name == result.name; });
      if (IsRepositoryName(result.name) && !known && !result.files.empty()) {
        results.push_back(std::move(result));
      }
    }
  }
  std::stable_sort(
      results.begin(), results.end(),
      [](const SearchResult& a, const SearchResult& b) { return a.downloads > b.downloads; });
  return results;
}

std::string HubClient::NearestName(const std::string& name) {
  std::vector<std::string> known = {"Qwen/Qwen3-0.6B",
                                    "Qwen/Qwen3-1.7B",
                                    "Qwen/Qwen3-4B",
                                    "google/gemma-3-270m",
                                    "google/gemma-3-270m-it",
                                    "google/gemma-3-1b-it",
                                    "google/gemma-3-1b-pt",
                                    "litert-community/Qwen3-0.6B",
                                    "litert-community/gemma-3-270m-it"};
  const size_t slash = name.find('/');
  // The mistake may be in the name or in the organization's.
  for (const std::string& query :
       {"author=" + name.substr(0, slash), "search=" + name.substr(slash + 1)}) {
    try {
      const HttpResponse response = http_.Perform(
          {.url = fmt::format("{}/api/models?{}&sort=downloads&direction=-1&limit=100",
                              options_.endpoint, query)});
      if (response.status != 200) continue;
      for (const Json& model : ParseAnswer(response)) {
        if (std::string id = StringAt(model, "id"); IsRepositoryName(id)) known.push_back(id);
      }
    } catch (const Error&) {
      // A guess is not worth a second failure.
    }
  }
  return DidYouMean(name, known);
}

std::string HubClient::NearestRevision(const HubSubject& subject) {
  std::vector<std::string> known = {"main"};
  try {
    const HttpResponse response = http_.Perform(
        {.url = fmt::format("{}/api/models/{}/refs", options_.endpoint, subject.name)});
    if (response.status == 200) {
      const Json refs = ParseAnswer(response);
      for (const char* kind : {"branches", "tags"}) {
        if (!refs.is_object() || !refs.contains(kind)) continue;
        for (const Json& ref : refs[kind]) {
          if (std::string name = StringAt(ref, "name"); IsSafePath(name)) known.push_back(name);
        }
      }
    }
  } catch (const Error&) {
    // As above.
  }
  return DidYouMean(subject.revision, known);
}

}  // namespace litertlm
