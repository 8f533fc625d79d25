#include "tests/hub/hub_server.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/json.h"
#include "tests/hub/http_listener.h"
#include "tests/hub/stored_repository.h"

namespace litertlm {
namespace {

struct Failure {
  std::string part;
  int count;
  int status;
  std::string headers;
};

struct Corruption {
  std::string path;
  uint64_t offset;
  int count;
};

struct Range {
  uint64_t begin;
  uint64_t end;
  bool partial;
};

Range RequestedRange(const IncomingRequest& request, uint64_t size) {
  const std::string header = request.Header("range");
  if (!header.starts_with("bytes=")) return {0, size, false};
  const size_t dash = header.find('-');
  const uint64_t begin = std::stoull(header.substr(6, dash - 6));
  const std::string last = header.substr(dash + 1);
  return {begin, last.empty() ? size : std::min<uint64_t>(size, std::stoull(last) + 1), true};
}

}  // namespace

class HubServer::Impl {
 public:
  Impl()
      : cdn_([this](const IncomingRequest& r, Connection& c) { return Cdn(r, c); }),
        hub_([this](const IncomingRequest& r, Connection& c) { return Hub(r, c); }) {}

  bool Hub(const IncomingRequest& request, Connection& connection);
  bool Cdn(const IncomingRequest& request, Connection& connection);

  bool Api(const IncomingRequest& request, Connection& connection, const std::string& rest);
  bool Search(const IncomingRequest& request, Connection& connection);
  bool Tree(const StoredRepository& stored, const IncomingRequest& request, Connection& connection);
  bool PathsInfo(const StoredRepository& stored, const IncomingRequest& request,
                 Connection& connection);
  bool Resolve(const StoredRepository& stored, const IncomingRequest& request,
               Connection& connection, const std::string& revision, const std::string& path);
  bool SendFile(const StoredFile& blob, const IncomingRequest& request, Connection& connection,
                bool cdn, const std::string& headers);
  bool SendBody(std::string_view bytes, Connection& connection);

  /// The repository, or null after an answer that refuses it.
  const StoredRepository* Admit(const std::string& name, const IncomingRequest& request,
                                Connection& connection);
  bool KnowsRevision(const StoredRepository& stored, const std::string& revision) const {
    return revision == "main" || revision == "HEAD" || revision == stored.repository.commit;
  }
  bool Answer(const IncomingRequest& request, Connection& connection, int status,
              const std::string& headers, std::string_view body = {});
  bool AnswerJson(const IncomingRequest& request, Connection& connection, const Json& json,
                  const std::string& headers = {}) {
    return Answer(request, connection, 200, "Content-Type: application/json\r\n" + headers,
                  DumpJson(json));
  }
  bool Refuse(const IncomingRequest& request, Connection& connection, int status,
              const std::string& code, const std::string& message) {
    return Answer(request, connection, status,
                  (code.empty() ? "" : "X-Error-Code: " + code + "\r\n") +
                      "X-Error-Message: " + message + "\r\nContent-Type: application/json\r\n",
                  DumpJson(Json{{"error", message}}));
  }
  /// Whether a failure that a test asked for was sent.
  bool FailIfAsked(const IncomingRequest& request, Connection& connection);
  void Log(bool cdn, const IncomingRequest& request);

  mutable std::mutex mutex_;
  std::map<std::string, StoredRepository> repositories_;
  std::vector<ServedRequest> requests_;
  std::vector<uint64_t> cuts_;  ///< Descending.
  uint64_t served_ = 0;
  uint64_t hold_ = UINT64_MAX;
  std::condition_variable released_;
  int stalls_ = 0;
  std::vector<Corruption> corruptions_;
  std::vector<Failure> failures_;
  uint64_t rate_ = 0;
  int next_link_ = 0;
  int first_valid_link_ = 0;
  bool ignore_ranges_ = false;
  size_t page_size_ = 1000;
  std::vector<std::string> raw_entries_;
  int leaked_tokens_ = 0;

  // Last, so that they stop first.
  HttpListener cdn_;
  HttpListener hub_;
};

void HubServer::Impl::Log(bool cdn, const IncomingRequest& request) {
  const std::lock_guard lock(mutex_);
  std::string token = request.Header("authorization");
  if (cdn && !token.empty()) ++leaked_tokens_;
  constexpr std::string_view kScheme = "Bearer ";
  if (token.starts_with(kScheme)) token.erase(0, kScheme.size());
  requests_.push_back({cdn, request.method, request.target, std::move(token)});
}

bool HubServer::Impl::Answer(const IncomingRequest& request, Connection& connection, int status,
                             const std::string& headers, std::string_view body) {
  return connection.SendAnswer(status, headers, body, request.method == "HEAD");
}

bool HubServer::Impl::FailIfAsked(const IncomingRequest& request, Connection& connection) {
  std::optional<Failure> failure;
  {
    const std::lock_guard lock(mutex_);
    for (Failure& f : failures_) {
      if (f.count <= 0 || request.target.find(f.part) == std::string::npos) continue;
      --f.count;
      failure = f;
      break;
    }
  }
  return failure && Answer(request, connection, failure->status, failure->headers, "failed");
}

bool HubServer::Impl::Hub(const IncomingRequest& request, Connection& connection) {
  Log(false, request);
  if (FailIfAsked(request, connection)) return true;
  const std::string& path = request.path;
  if (request.Header("authorization") == "Bearer hf_expired") {
    return Refuse(request, connection, 401, "", "Invalid credentials in Authorization header");
  }
  if (path == "/api/models") return Search(request, connection);
  constexpr std::string_view kApi = "/api/models/";
  if (path.starts_with(kApi)) return Api(request, connection, path.substr(kApi.size()));
  constexpr std::string_view kCache = "/api/resolve-cache/models/";
  const bool cached = path.starts_with(kCache);
  // ORG/NAME/resolve/REVISION/PATH, or after the cache's prefix ORG/NAME/COMMIT/PATH.
  std::string rest = cached ? path.substr(kCache.size()) : path.substr(1);
  const size_t name_end = rest.find('/', rest.find('/') + 1);
  if (name_end == std::string::npos) return Refuse(request, connection, 404, "", "Not Found");
  const std::string name = rest.substr(0, name_end);
  rest = rest.substr(name_end + 1);
  constexpr std::string_view kResolve = "resolve/";
  if (!cached && !rest.starts_with(kResolve)) {
    return Refuse(request, connection, 404, "", "Not Found");
  }
  if (!cached) rest = rest.substr(kResolve.size());
  const StoredRepository* stored = Admit(name, request, connection);
  if (stored == nullptr) return true;
  const size_t slash = rest.find('/');
  return Resolve(*stored, request, connection, rest.substr(0, slash), rest.substr(slash + 1));
}

const StoredRepository* HubServer::Impl::Admit(const std::string& name,
                                               const IncomingRequest& request,
                                               Connection& connection) {
  const bool token = !request.Header("authorization").empty();
  const auto found = repositories_.find(name);
  if (found == repositories_.end() || (found->second.repository.private_ && !token)) {
    Refuse(request, connection, token ? 404 : 401, "RepoNotFound",
           token ? "Repository not found" : "Invalid username or password.");
    return nullptr;
  }
  return &found->second;
}

bool HubServer::Impl::Api(const IncomingRequest& request, Connection& connection,
                          const std::string& rest) {
  const size_t name_end = rest.find('/', rest.find('/') + 1);
  const StoredRepository* stored = Admit(rest.substr(0, name_end), request, connection);
  if (stored == nullptr) return true;
  const std::string call = name_end == std::string::npos ? "" : rest.substr(name_end + 1);
  const size_t slash = call.find('/');
  const std::string kind = call.substr(0, slash);
  if (kind == "refs") {
    return AnswerJson(
        request, connection,
        {{"branches", {{{"name", "main"}}}}, {"tags", {{{"name", "v1.0"}}, {{"name", "v2.0"}}}}});
  }
  std::string revision = slash == std::string::npos ? "" : call.substr(slash + 1);
  if (!KnowsRevision(*stored, revision)) {
    return Refuse(request, connection, 404, "RevisionNotFound", "Invalid rev id: " + revision);
  }
  if (kind == "revision") return AnswerJson(request, connection, InfoOf(*stored));
  if (kind == "tree") return Tree(*stored, request, connection);
  if (kind == "paths-info") return PathsInfo(*stored, request, connection);
  return Refuse(request, connection, 404, "", "Not Found");
}

bool HubServer::Impl::Search(const IncomingRequest& request, Connection& connection) {
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), ::tolower);
    return text;
  };
  const std::string word = lower(request.QueryValue("search"));
  const std::string tag = request.QueryValue("filter");
  const std::string author = request.QueryValue("author");
  Json models = Json::array();
  for (const auto& [name, stored] : repositories_) {
    const auto& tags = stored.repository.tags;
    const bool matches = lower(name).find(word) != std::string::npos &&
                         (tag.empty() || std::find(tags.begin(), tags.end(), tag) != tags.end()) &&
                         (author.empty() || name.starts_with(author + "/")) &&
                         !stored.repository.private_;
    if (matches) models.push_back(InfoOf(stored));
  }
  return AnswerJson(request, connection, models);
}

bool HubServer::Impl::Tree(const StoredRepository& stored, const IncomingRequest& request,
                           Connection& connection) {
  std::vector<Json> entries;
  const std::lock_guard lock(mutex_);
  for (const std::string& raw : raw_entries_) entries.push_back(Json::parse(raw));
  for (const StoredFile& blob : stored.blobs) entries.push_back(EntryOf(blob));
  const std::string cursor = request.QueryValue("cursor");
  const size_t begin = cursor.empty() ? 0 : std::stoul(cursor);
  const size_t end = std::min(begin + page_size_, entries.size());
  std::string link;
  if (end < entries.size()) {
    link = fmt::format(
        "Link: <http://127.0.0.1:{}{}?recursive=true&expand=false&cursor={}>; rel=\"next\"\r\n",
        hub_.port(), request.path, end);
  }
  return AnswerJson(request, connection,
                    std::vector<Json>(entries.begin() + static_cast<ptrdiff_t>(begin),
                                      entries.begin() + static_cast<ptrdiff_t>(end)),
                    link);
}

bool HubServer::Impl::PathsInfo(const StoredRepository& stored, const IncomingRequest& request,
                                Connection& connection) {
  const Json asked = Json::parse(request.body);
  Json answer = Json::array();
  for (const StoredFile& blob : stored.blobs) {
    for (const Json& path : asked["paths"]) {
      if (path != blob.file.path) continue;
      answer.push_back(EntryOf(blob));
      answer.back()["lastCommit"] = {{"id", stored.repository.commit},
                                     {"title", "Upload"},
                                     {"date", "2026-05-18T09:30:00.000Z"}};
    }
  }
  return AnswerJson(request, connection, answer);
}

bool HubServer::Impl::Resolve(const StoredRepository& stored, const IncomingRequest& request,
                              Connection& connection, const std::string& revision,
                              const std::string& path) {
  const std::string authorization = request.Header("authorization");
  if (stored.repository.gated && authorization != std::string("Bearer ") + kMemberToken) {
    return Refuse(request, connection, authorization.empty() ? 401 : 403, "GatedRepo",
                  "Access to model " + stored.repository.name + " is restricted.");
  }
  if (!KnowsRevision(stored, revision)) {
    return Refuse(request, connection, 404, "RevisionNotFound", "Invalid rev id: " + revision);
  }
  const auto blob = std::find_if(stored.blobs.begin(), stored.blobs.end(),
                                 [&](const StoredFile& b) { return b.file.path == path; });
  if (blob == stored.blobs.end()) {
    return Refuse(request, connection, 404, "EntryNotFound", "Entry not found");
  }
  const std::string commit = fmt::format("X-Repo-Commit: {}\r\n", stored.repository.commit);
  if (blob->sha256.empty()) {
    const std::string etag = fmt::format("ETag: \"{}\"\r\n", blob->git_oid);
    if (request.path.starts_with("/api/resolve-cache/")) {
      return SendFile(*blob, request, connection, /*cdn=*/false, commit + etag);
    }
    return Answer(
        request, connection, 307,
        fmt::format("Location: /api/resolve-cache/models/{}/{}/{}\r\n{}{}", stored.repository.name,
                    stored.repository.commit, path, commit, etag));
  }
  int link;
  {
    const std::lock_guard lock(mutex_);
    link = next_link_++;
  }
  return Answer(request, connection, 302,
                fmt::format("Location: http://127.0.0.1:{}/{}/{}/{}?X-Amz-Signature={}\r\n"
                            "X-Linked-Etag: \"{}\"\r\nX-Linked-Size: {}\r\n{}",
                            cdn_.port(), stored.repository.name, blob->sha256, path, link,
                            blob->sha256, blob->file.content->size(), commit));
}

bool HubServer::Impl::Cdn(const IncomingRequest& request, Connection& connection) {
  Log(true, request);
  if (FailIfAsked(request, connection)) return true;
  if (!request.Header("authorization").empty()) {
    return Answer(request, connection, 400, "", "Only one auth mechanism allowed");
  }
  bool expired;
  {
    const std::lock_guard lock(mutex_);
    expired = std::stoi("0" + request.QueryValue("X-Amz-Signature")) < first_valid_link_;
  }
  if (expired) return Answer(request, connection, 403, "", "Request has expired");
  for (const auto& [name, stored] : repositories_) {
    for (const StoredFile& blob : stored.blobs) {
      if (request.path != fmt::format("/{}/{}/{}", name, blob.sha256, blob.file.path)) continue;
      // Not the SHA-256: another host has its own idea of what an ETag is.
      return SendFile(blob, request, connection, /*cdn=*/true,
                      fmt::format("ETag: \"{}-1\"\r\n", blob.git_oid.substr(0, 32)));
    }
  }
  return Answer(request, connection, 404, "", "NoSuchKey");
}

bool HubServer::Impl::SendFile(const StoredFile& blob, const IncomingRequest& request,
                               Connection& connection, bool cdn, const std::string& headers) {
  const std::string& content = *blob.file.content;
  Range range = RequestedRange(request, content.size());
  std::string corrupted;
  bool stall = false;
  {
    const std::lock_guard lock(mutex_);
    if (ignore_ranges_) range = {0, content.size(), false};
    for (Corruption& corruption : corruptions_) {
      if (request.method == "HEAD" || corruption.count == 0 || corruption.path != blob.file.path ||
          corruption.offset < range.begin || corruption.offset >= range.end) {
        continue;
      }
      --corruption.count;
      corrupted = content.substr(range.begin, range.end - range.begin);
      corrupted[corruption.offset - range.begin] ^= 1;
    }
    stall = cdn && request.method != "HEAD" && stalls_ > 0;
    if (stall) --stalls_;
  }
  if (range.partial && range.begin >= content.size()) {
    return Answer(request, connection, 416,
                  fmt::format("Content-Range: bytes */{}\r\n", content.size()));
  }
  std::string head = headers + "Accept-Ranges: bytes\r\n";
  if (range.partial) {
    head += fmt::format("Content-Range: bytes {}-{}/{}\r\n", range.begin, range.end - 1,
                        content.size());
  }
  if (!connection.SendHead(range.partial ? 206 : 200, head, range.end - range.begin)) return false;
  if (request.method == "HEAD") return true;
  std::string_view body =
      corrupted.empty() ? std::string_view(content).substr(range.begin, range.end - range.begin)
                        : std::string_view(corrupted);
  if (!stall) return SendBody(body, connection);
  SendBody(body.substr(0, body.size() / 2), connection);
  // Nothing more, until the client loses patience.
  char byte;
  while (!cdn_.stopping() && ::recv(connection.fd(), &byte, 1, 0) > 0) continue;
  return false;
}

bool HubServer::Impl::SendBody(std::string_view bytes, Connection& connection) {
  constexpr size_t kChunk = 32 << 10;
  const auto begun = std::chrono::steady_clock::now();
  size_t sent = 0;
  while (sent < bytes.size()) {
    std::string_view chunk = bytes.substr(sent, kChunk);
    uint64_t rate;
    {
      std::unique_lock lock(mutex_);
      released_.wait(lock, [this] { return served_ < hold_; });
      rate = rate_;
      if (!cuts_.empty() && served_ >= cuts_.back()) {
        cuts_.pop_back();
        return false;
      }
      served_ += chunk.size();
    }
    if (!connection.Send(chunk)) return false;
    sent += chunk.size();
    if (rate > 0) {
      std::this_thread::sleep_until(begun + std::chrono::microseconds(sent * 1000000 / rate));
    }
  }
  return true;
}

HubServer::HubServer() : impl_(std::make_unique<Impl>()) {}
HubServer::~HubServer() { Release(); }

std::string HubServer::endpoint() const {
  return fmt::format("http://127.0.0.1:{}", impl_->hub_.port());
}

void HubServer::Add(ServedRepository repository) {
  StoredRepository stored = Store(std::move(repository));
  const std::lock_guard lock(impl_->mutex_);
  impl_->repositories_[stored.repository.name] = std::move(stored);
}

void HubServer::Add(const std::string& name, const std::map<std::string, std::string>& files) {
  ServedRepository repository{.name = name, .files = {}};
  for (const auto& [path, content] : files) {
    const bool large = content.size() >= (1 << 20) || path.ends_with(".litertlm") ||
                       path.ends_with(".safetensors");
    repository.files.push_back({path, std::make_shared<const std::string>(content), large});
  }
  Add(std::move(repository));
}

void HubServer::CutAt(std::vector<uint64_t> served_bytes) {
  std::sort(served_bytes.rbegin(), served_bytes.rend());
  const std::lock_guard lock(impl_->mutex_);
  impl_->cuts_ = std::move(served_bytes);
}

void HubServer::Stall(int count) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->stalls_ = count;
}

void HubServer::Corrupt(std::string path, uint64_t offset, int count) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->corruptions_.push_back({std::move(path), offset, count});
}

void HubServer::Fail(std::string part, int count, int status, std::string headers) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->failures_.push_back({std::move(part), count, status, std::move(headers)});
}

void HubServer::LimitRate(uint64_t bytes_per_second) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->rate_ = bytes_per_second;
}

void HubServer::HoldAt(uint64_t served_bytes) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->hold_ = served_bytes;
  impl_->released_.notify_all();
}

void HubServer::ExpireLinks() {
  const std::lock_guard lock(impl_->mutex_);
  impl_->first_valid_link_ = impl_->next_link_;
}

void HubServer::IgnoreRanges() {
  const std::lock_guard lock(impl_->mutex_);
  impl_->ignore_ranges_ = true;
}

void HubServer::SetPageSize(size_t entries) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->page_size_ = entries;
}

void HubServer::AddRawListingEntry(std::string json) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->raw_entries_.push_back(std::move(json));
}

std::vector<ServedRequest> HubServer::requests() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->requests_;
}

void HubServer::ForgetRequests() {
  const std::lock_guard lock(impl_->mutex_);
  impl_->requests_.clear();
}

uint64_t HubServer::bytes_served() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->served_;
}

size_t HubServer::cuts_left() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->cuts_.size();
}

int HubServer::leaked_tokens() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->leaked_tokens_;
}

}  // namespace litertlm
