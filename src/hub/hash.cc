#include "hub/hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "hub/dynamic_library.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

struct Crypto {
  DynamicLibrary library{"libcrypto.so.3", "libssl3"};
  decltype(&EVP_MD_CTX_new) context_new;
  decltype(&EVP_MD_CTX_free) context_free;
  decltype(&EVP_sha256) sha256;
  decltype(&EVP_sha1) sha1;
  decltype(&EVP_DigestInit_ex) init;
  decltype(&EVP_DigestUpdate) update;
  decltype(&EVP_DigestFinal_ex) finish;

  Crypto() {
    library.Load("EVP_MD_CTX_new", context_new);
    library.Load("EVP_MD_CTX_free", context_free);
    library.Load("EVP_sha256", sha256);
    library.Load("EVP_sha1", sha1);
    library.Load("EVP_DigestInit_ex", init);
    library.Load("EVP_DigestUpdate", update);
    library.Load("EVP_DigestFinal_ex", finish);
  }
};

const Crypto& Library() {
  static const Crypto crypto;
  return crypto;
}

void Check(int result) {
  if (result != 1) throw Error(ErrorCode::kInternal, "The checksum library failed.");
}

}  // namespace

bool IsHex(std::string_view text, size_t digits) {
  return text.size() == digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Hasher::Hasher(const ContentId& id) : context_(Library().context_new()) {
  const bool sha256 = !id.sha256.empty();
  expected_ = sha256 ? id.sha256 : id.git_oid;
  auto* context = static_cast<EVP_MD_CTX*>(context_);
  Check(Library().init(context, sha256 ? Library().sha256() : Library().sha1(), nullptr));
  if (!sha256) {
    const std::string header = fmt::format("blob {}", id.size);
    Check(Library().update(context, header.c_str(), header.size() + 1));
  }
}

Hasher::~Hasher() { Library().context_free(static_cast<EVP_MD_CTX*>(context_)); }

void Hasher::Update(Bytes bytes) {
  Check(Library().update(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()));
}

bool Hasher::Matches() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  Check(Library().finish(static_cast<EVP_MD_CTX*>(context_), digest.data(), &size));
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex == expected_;
}

bool FileMatches(const std::filesystem::path& path, const ContentId& id,
                 const std::function<bool()>& keep_going) {
  const MappedFile file = MappedFile::Open(path);
  Bytes rest = file.bytes();
  if (rest.size() != id.size) return false;
  if (id.sha256.empty() && id.git_oid.empty()) return true;
  constexpr size_t kStep = size_t{4} << 20;
  Hasher hasher(id);
  while (!rest.empty()) {
    if (keep_going && !keep_going()) return false;
    const Bytes step = rest.first(std::min(kStep, rest.size()));
    hasher.Update(step);
    rest = rest.subspan(step.size());
  }
  return hasher.Matches();
}

}  // namespace litertlm
