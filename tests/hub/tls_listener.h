// TLS in front of a plain server: what comes in is decrypted and passed on, as a reverse proxy
// does.
#ifndef LITERTLM_TESTS_HUB_TLS_LISTENER_H_
#define LITERTLM_TESTS_HUB_TLS_LISTENER_H_

#include <openssl/types.h>

#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace litertlm {

class TlsListener {
 public:
  enum class Validity { kNow, kOver };

  /// For the server at `plain`, "http://127.0.0.1:PORT". The certificate is made for 127.0.0.1 and
  /// signed by nobody but itself.
  explicit TlsListener(const std::string& plain, Validity validity = Validity::kNow);
  TlsListener(const TlsListener&) = delete;
  TlsListener& operator=(const TlsListener&) = delete;
  ~TlsListener();

  std::string endpoint(const std::string& host = "127.0.0.1") const;
  std::string certificate() const;  ///< As PEM.

 private:
  void MakeCertificate(Validity validity);
  void Accept();
  void Serve(int client);
  void Pass(SSL* tls, int client, int server);

  EVP_PKEY* key_ = nullptr;
  X509* certificate_ = nullptr;
  SSL_CTX* context_ = nullptr;
  int plain_port_ = 0;
  int fd_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::set<int> open_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_HUB_TLS_LISTENER_H_
