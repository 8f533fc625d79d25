#include "tests/hub/tls_listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <tuple>

#include "tests/hub/http_listener.h"

namespace litertlm {
namespace {

int ConnectTo(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

TlsListener::TlsListener(const std::string& plain, Validity validity)
    : plain_port_(std::stoi(plain.substr(plain.rfind(':') + 1))) {
  MakeCertificate(validity);
  context_ = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(context_, certificate_);
  SSL_CTX_use_PrivateKey(context_, key_);
  std::tie(fd_, port_) = ListenOnLoopback();
  acceptor_ = std::thread([this] { Accept(); });
}

TlsListener::~TlsListener() {
  ::shutdown(fd_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& connection : connections_) connection.join();
  ::close(fd_);
  SSL_CTX_free(context_);
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

std::string TlsListener::endpoint(const std::string& host) const {
  return fmt::format("https://{}:{}", host, port_);
}

std::string TlsListener::certificate() const {
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, certificate_);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(memory);
  return pem;
}

void TlsListener::MakeCertificate(Validity validity) {
  constexpr long kDay = 24 * 60 * 60;
  key_ = EVP_EC_gen("P-256");
  certificate_ = X509_new();
  X509_set_version(certificate_, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate_), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate_), validity == Validity::kNow ? kDay : -kDay);
  X509_NAME* name = X509_get_subject_name(certificate_);
  const auto* common = reinterpret_cast<const unsigned char*>("test");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0);
  X509_set_issuer_name(certificate_, name);
  for (const auto& [id, value] : {std::pair(NID_basic_constraints, "critical,CA:TRUE"),
                                  std::pair(NID_subject_alt_name, "IP:127.0.0.1")}) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
    X509_add_ext(certificate_, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_set_pubkey(certificate_, key_);
  X509_sign(certificate_, key_, EVP_sha256());
}

void TlsListener::Accept() {
  for (;;) {
    const int client = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const std::lock_guard lock(mutex_);
    open_.insert(client);
    connections_.emplace_back([this, client] { Serve(client); });
  }
}

void TlsListener::Serve(int client) {
  const int server = ConnectTo(plain_port_);
  SSL* tls = SSL_new(context_);
  SSL_set_fd(tls, client);
  if (server >= 0 && SSL_accept(tls) == 1) Pass(tls, client, server);
  SSL_free(tls);
  if (server >= 0) ::close(server);
  const std::lock_guard lock(mutex_);
  open_.erase(client);
  ::close(client);
}

// Until either end has gone.
void TlsListener::Pass(SSL* tls, int client, int server) {
  std::array<char, 16384> buffer;
  for (;;) {
    std::array<pollfd, 2> ends = {{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    ::poll(ends.data(), ends.size(), -1);
    if (ends[0].revents != 0) {
      do {
        const int n = SSL_read(tls, buffer.data(), static_cast<int>(buffer.size()));
        if (n <= 0) return;
        const std::string_view request(buffer.data(), static_cast<size_t>(n));
        if (!Connection(server).Send(request)) return;
      } while (SSL_pending(tls) > 0);
    }
    if (ends[1].revents != 0) {
      const ssize_t n = ::recv(server, buffer.data(), buffer.size(), 0);
      if (n <= 0 || SSL_write(tls, buffer.data(), static_cast<int>(n)) <= 0) return;
    }
  }
}

}  // namespace litertlm
