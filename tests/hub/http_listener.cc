#include "tests/hub/http_listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <stdexcept>
#include <tuple>

namespace litertlm {
namespace {

std::string Decoded(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      result += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      result += text[i] == '+' ? ' ' : text[i];
    }
  }
  return result;
}

// Fills `buffer` until it holds `marker`, and returns the place behind it; npos if the client left.
size_t ReadUntil(int fd, std::string& buffer, std::string_view marker) {
  size_t at;
  while ((at = buffer.find(marker)) == std::string::npos) {
    char chunk[4096];
    const ssize_t n = ::recv(fd, chunk, sizeof chunk, 0);
    if (n <= 0) return std::string::npos;
    buffer.append(chunk, static_cast<size_t>(n));
  }
  return at + marker.size();
}

IncomingRequest ParseHead(const std::string& head) {
  IncomingRequest request;
  const size_t first = head.find(' ');
  const size_t second = head.find(' ', first + 1);
  request.method = head.substr(0, first);
  request.target = head.substr(first + 1, second - first - 1);
  // What a proxy is asked for names the host as well.
  if (constexpr std::string_view kScheme = "http://"; request.target.starts_with(kScheme)) {
    request.target.erase(0, request.target.find('/', kScheme.size()));
  }
  const size_t question = request.target.find('?');
  request.path = Decoded(std::string_view(request.target).substr(0, question));
  if (question != std::string::npos) request.query = request.target.substr(question + 1);
  size_t begin = head.find("\r\n") + 2;
  for (size_t end; (end = head.find("\r\n", begin)) != std::string::npos && end > begin;
       begin = end + 2) {
    const std::string line = head.substr(begin, end - begin);
    const size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), ::tolower);
    request.headers[name] = line.substr(line.find_first_not_of(' ', colon + 1));
  }
  return request;
}

}  // namespace

std::string IncomingRequest::Header(const std::string& name) const {
  const auto header = headers.find(name);
  return header == headers.end() ? "" : header->second;
}

std::string IncomingRequest::QueryValue(const std::string& name) const {
  for (size_t begin = 0; begin < query.size();) {
    const size_t end = std::min(query.find('&', begin), query.size());
    const std::string item = query.substr(begin, end - begin);
    if (item.starts_with(name + "=")) return Decoded(item.substr(name.size() + 1));
    begin = end + 1;
  }
  return "";
}

bool Connection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool Connection::SendHead(int status, const std::string& headers, uint64_t content_length) {
  return Send(fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n", status, content_length,
                          headers));
}

bool Connection::SendAnswer(int status, const std::string& headers, std::string_view body,
                            bool head_only) {
  return SendHead(status, headers, body.size()) && (head_only || Send(body));
}

std::pair<int, int> ListenOnLoopback() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 64) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen on 127.0.0.1");
  }
  return {fd, ntohs(address.sin_port)};
}

HttpListener::HttpListener(Handler handler) : handler_(std::move(handler)) {
  std::tie(fd_, port_) = ListenOnLoopback();
  acceptor_ = std::thread([this] { Accept(); });
}

HttpListener::~HttpListener() {
  stopping_ = true;
  ::shutdown(fd_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& connection : connections_) connection.join();
  ::close(fd_);
}

void HttpListener::Accept() {
  for (;;) {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    // Small, so that what a cut connection still held is little.
    const int buffer = 64 << 10;
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    // Or a body would wait 40 ms for the client to confirm the header.
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    open_.insert(fd);
    connections_.emplace_back([this, fd] { Serve(fd); });
  }
}

void HttpListener::Serve(int fd) {
  std::string buffer;
  Connection connection(fd);
  for (;;) {
    const size_t end = ReadUntil(fd, buffer, "\r\n\r\n");
    if (end == std::string::npos) break;
    IncomingRequest request = ParseHead(buffer.substr(0, end));
    buffer.erase(0, end);
    const size_t length = std::strtoul(request.Header("content-length").c_str(), nullptr, 10);
    char chunk[4096];
    while (buffer.size() < length) {
      const ssize_t n = ::recv(fd, chunk, sizeof chunk, 0);
      if (n <= 0) break;
      buffer.append(chunk, static_cast<size_t>(n));
    }
    request.body = buffer.substr(0, length);
    buffer.erase(0, length);
    if (!handler_(request, connection)) break;
  }
  const std::lock_guard lock(mutex_);
  open_.erase(fd);
  ::close(fd);
}

}  // namespace litertlm
