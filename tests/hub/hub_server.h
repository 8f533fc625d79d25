// A server that behaves as the Hugging Face hub does, with what goes wrong on the way to it.
//
// Two ports of 127.0.0.1: the hub itself, and the host that large files are redirected to, with
// links that expire. tests/conformance/hub.mjs proves it with Hugging Face's own client.
#ifndef LITERTLM_TESTS_HUB_HUB_SERVER_H_
#define LITERTLM_TESTS_HUB_HUB_SERVER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace litertlm {

struct ServedFile {
  std::string path;
  std::shared_ptr<const std::string> content;
  /// Stored as a large file: known by its SHA-256, and served by the other host.
  bool large = false;
};

struct ServedRepository {
  std::string name;
  std::vector<ServedFile> files;
  bool gated = false;     ///< Only `kMemberToken` has accepted its terms.
  bool private_ = false;  ///< Only seen with a token.
  std::vector<std::string> tags = {"litert-lm"};
  std::string commit = "0123456789abcdef0123456789abcdef01234567";
};

inline constexpr char kReaderToken[] = "hf_reader";  ///< A good token.
inline constexpr char kMemberToken[] = "hf_member";  ///< One whose owner has accepted all terms.

struct ServedRequest {
  bool cdn = false;
  std::string method;
  std::string target;
  std::string token;  ///< Empty: none came.
};

/// All functions may be called while clients are served.
class HubServer {
 public:
  HubServer();
  ~HubServer();

  std::string endpoint() const;  ///< "http://127.0.0.1:PORT"

  void Add(ServedRepository repository);
  /// A shorthand: content of at least 1 MiB, and every `.litertlm` and `.safetensors`, is large.
  void Add(const std::string& name, const std::map<std::string, std::string>& files);

  // What goes wrong. Each applies to the other host's answers unless it says otherwise.

  /// Ends whichever connection is sending when so many bytes have been served in all.
  void CutAt(std::vector<uint64_t> served_bytes);
  /// Stops sending in the middle of the next `count` answers, without ending the connection.
  void Stall(int count);
  /// Sends one byte of a file wrong in the next `count` answers that contain it.
  void Corrupt(std::string path, uint64_t offset, int count);
  /// Answers the next `count` requests whose target has `part` (of either host) with this.
  void Fail(std::string part, int count, int status, std::string headers = {});
  void LimitRate(uint64_t bytes_per_second);  ///< Of each connection.
  /// Sends nothing more once so many bytes have been served in all, until it is told otherwise.
  void HoldAt(uint64_t served_bytes);
  void Release() { HoldAt(UINT64_MAX); }
  void ExpireLinks();  ///< All that were given out.
  void IgnoreRanges();
  void SetPageSize(size_t entries);  ///< Of listings.
  /// Adds an entry to every listing as it is, however strange.
  void AddRawListingEntry(std::string json);

  std::vector<ServedRequest> requests() const;
  void ForgetRequests();
  uint64_t bytes_served() const;  ///< Bodies of files, of both hosts.
  size_t cuts_left() const;       ///< Of those that CutAt was told.
  /// Requests with a token that came to the other host: there must be none.
  int leaked_tokens() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_HUB_HUB_SERVER_H_
