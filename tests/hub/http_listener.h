// A small HTTP/1.1 server: one thread for each connection, connections stay open.
#ifndef LITERTLM_TESTS_HUB_HTTP_LISTENER_H_
#define LITERTLM_TESTS_HUB_HTTP_LISTENER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace litertlm {

struct IncomingRequest {
  std::string method;
  std::string path;   ///< Decoded.
  std::string query;  ///< As it came.
  std::string target;
  std::map<std::string, std::string> headers;  ///< Names in small letters.
  std::string body;

  std::string Header(const std::string& name) const;
  std::string QueryValue(const std::string& name) const;
};

/// Listens on a free port of 127.0.0.1. Returns the socket and the port.
std::pair<int, int> ListenOnLoopback();

/// The client's end of a request.
class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  /// False if the client has gone.
  bool Send(std::string_view bytes);
  /// Status line and headers; `headers` are whole lines.
  bool SendHead(int status, const std::string& headers, uint64_t content_length);
  bool SendAnswer(int status, const std::string& headers, std::string_view body, bool head_only);
  int fd() const { return fd_; }

 private:
  int fd_;
};

class HttpListener {
 public:
  /// Returns false to end the connection.
  using Handler = std::function<bool(const IncomingRequest&, Connection&)>;

  explicit HttpListener(Handler handler);
  ~HttpListener();
  int port() const { return port_; }
  bool stopping() const { return stopping_; }

 private:
  void Accept();
  void Serve(int fd);

  Handler handler_;
  int fd_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::set<int> open_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_HUB_HTTP_LISTENER_H_
