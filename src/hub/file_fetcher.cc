#include "hub/file_fetcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "litertlm/error.h"

namespace litertlm {
namespace {

[[noreturn]] void ThrowChanged(const RemoteFile& file) {
  throw Error(ErrorCode::kUnavailable,
              fmt::format("{} changed on the server while it was downloaded.", file.path),
              "Run the same command again.");
}

// "bytes 5-9/10": where an answer begins, and the size of the whole file if it says.
struct ContentRange {
  uint64_t begin = 0;
  uint64_t size = 0;
};

std::optional<ContentRange> ParseContentRange(std::string_view header) {
  constexpr std::string_view kUnit = "bytes ";
  const size_t dash = header.find('-');
  const size_t slash = header.find('/');
  if (!header.starts_with(kUnit) || dash == header.npos || slash == header.npos) {
    return std::nullopt;
  }
  ContentRange range;
  const auto number = [&](std::string_view text, uint64_t& value) {
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
  };
  if (!number(header.substr(kUnit.size(), dash - kUnit.size()), range.begin)) return std::nullopt;
  number(header.substr(slash + 1), range.size);
  return range;
}

// Puts a stream of bytes into blocks.
class BlockWriter {
 public:
  BlockWriter(PartialFile& file, BlockRun run) : file_(file), block_(run.begin), end_(run.end) {
    buffer_.reserve(kBlockSize);
  }

  bool done() const { return block_ == end_; }
  bool changed() const { return changed_; }
  uint64_t position() const { return file_.Extent(block_).begin + buffer_.size(); }
  uint64_t end() const { return file_.Extent(end_ - 1).end; }

  /// Takes what belongs to the run; returns false when that was all.
  bool Write(Bytes bytes) {
    while (!bytes.empty() && !done()) {
      const ByteRange extent = file_.Extent(block_);
      const uint64_t missing = extent.end - extent.begin - buffer_.size();
      const Bytes taken = bytes.first(std::min<uint64_t>(missing, bytes.size()));
      buffer_.append(AsText(taken));
      bytes = bytes.subspan(taken.size());
      if (taken.size() < missing) break;
      changed_ |= file_.Store(block_, AsBytes(buffer_));
      buffer_.clear();
      ++block_;
    }
    return !done();
  }

 private:
  PartialFile& file_;
  uint64_t block_;
  const uint64_t end_;
  std::string buffer_;
  bool changed_ = false;
};

// One request for what `writer` still lacks.
class Attempt {
 public:
  Attempt(const RemoteFile& file, BlockWriter& writer) : file_(file), writer_(writer) {}

  HttpResponse Run(HubClient& hub, const std::string& url) {
    return hub.Fetch(url, ByteRange{writer_.position(), writer_.end()},
                     [this](const HttpResponse& response, Bytes bytes) {
                       if (!checked_) Check(response);
                       return !whole_files_only_ && writer_.Write(bytes);
                     });
  }
  bool whole_files_only() const { return whole_files_only_; }

 private:
  void Check(const HttpResponse& response) {
    checked_ = true;
    if (response.status == 200) {
      // The whole file instead of the part: good only for one who wants its beginning.
      whole_files_only_ = writer_.position() != 0;
      return;
    }
    const auto range = ParseContentRange(response.Header("Content-Range"));
    if (!range || range->begin != writer_.position()) {
      throw TransferError(ErrorCode::kUnavailable,
                          fmt::format("{} sends another part of {} than was asked for.",
                                      HostOf(response.url), file_.path),
                          "Check the proxy.");
    }
    if (range->size != 0 && range->size != file_.content.size) ThrowChanged(file_);
  }

  const RemoteFile& file_;
  BlockWriter& writer_;
  bool checked_ = false;
  bool whole_files_only_ = false;
};

// A link that worked once and does not any more has usually expired.
bool MayBeStale(int status) {
  return status == 400 || status == 401 || status == 403 || status == 404 || status == 410;
}

}  // namespace

std::string FileLink::Get(HubClient& hub) {
  const std::lock_guard lock(mutex_);
  if (link_.empty()) {
    const FileLocation location = hub.Locate(repository_, file_.path);
    const ContentId& now = location.content;
    const bool other = (now.size != 0 && now.size != file_.content.size) ||
                       (!now.sha256.empty() && !file_.content.sha256.empty() &&
                        now.sha256 != file_.content.sha256);
    if (other) ThrowChanged(file_);
    link_ = location.url;
  }
  return link_;
}

void FileLink::Forget(const std::string& link) {
  const std::lock_guard lock(mutex_);
  if (link_ == link) link_.clear();
}

FetchOutcome FetchRun(HubClient& hub, FileLink& link, PartialFile& file, BlockRun run) {
  FetchOutcome outcome;
  BlockWriter writer(file, run);
  Backoff backoff(hub.options().retry, hub.options().cancelled);
  while (!writer.done()) {
    const uint64_t before = writer.position();
    const std::string url = link.Get(hub);
    Attempt attempt(link.file(), writer);
    HttpResponse response;
    std::exception_ptr cut;
    try {
      response = attempt.Run(hub, url);
    } catch (const TransferError&) {
      cut = std::current_exception();
    }
    outcome.changed = writer.changed();
    outcome.whole_files_only = attempt.whole_files_only();
    if (writer.done() || outcome.whole_files_only) break;
    outcome.trouble = true;
    if (writer.position() > before) backoff.Reset();
    if (response.status == 416) ThrowChanged(link.file());
    const bool elsewhere = !SameOrigin(url, hub.options().endpoint);
    if (elsewhere && MayBeStale(response.status)) link.Forget(url);
    const bool hopeless = !cut && response.status >= 400 && !IsTransientStatus(response.status) &&
                          !(elsewhere && MayBeStale(response.status));
    const auto pause = AskedPause(response);
    if (!hopeless && backoff.Wait(pause)) continue;
    if (cut) std::rethrow_exception(cut);
    if (response.status >= 400) hub.Check(response, link.subject());
    throw TransferError(ErrorCode::kUnavailable,
                        fmt::format("{} sends nothing of {}.", HostOf(url), link.file().path),
                        "Try again later.");
  }
  return outcome;
}

}  // namespace litertlm
